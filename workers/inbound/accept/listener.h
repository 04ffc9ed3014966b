/* Listening sockets. The main thread makes and frees them. Each is used by one acceptor, or by all workers
 * where they accept for themselves; the last one to leave closes the socket.
 *
 *      bind  ──>  listen  ──>  used by threads that accept  ──>  departs  ──>  closed, when its queue is empty
 *
 * A socket that is closed resets all who are in its queue, and forgets without a word whose handshake is under
 * way. So it departs first: it ignores whoever is new, and keeps those who have begun for DEPARTURE_MS. The new
 * ones ask again a second later (RFC 6298), and reach a successor or learn that there is none. */
#pragma once

#include "conf/snapshot.h"

#include <stdatomic.h>

#define DEPARTURE_MS      250  /* a handshake that has begun is over by then */
#define DEPARTURE_LATE_MS 750  /* more, and whoever cannot be let in for want of descriptors is turned away */
#define DEPARTURE_MAX_MS  1500 /* more, and whoever is in the queue still is left behind */

struct listener {
        struct listener *next; /* owner: the main thread */
        struct endpoint endpoint;
        uint32_t number; /* of the sockets of this endpoint: the acceptor's */
        uint16_t port;   /* as bound: differs where the configuration says 0 */
        int fd;
        bool is_adopted;   /* it has listened before */
        bool is_inherited; /* others have the socket too, see inherited.h */
        _Atomic bool needs_proxy_header;
        _Atomic uint32_t users;
        _Atomic bool is_handed_back;
        _Atomic bool is_closed;       /* by the last user, who does not look at the listener any more */
        _Atomic uint64_t departed_ms; /* nobody new comes since then; 0: it does not depart */
};

/* ---- main thread */

/* A list of `count` sockets of one endpoint, among which the kernel divides the connections (SO_REUSEPORT).
 * Nobody can connect yet. An endpoint that another process has is refused. The reverse holds for a single
 * socket only: where there are several, another process of the same user could join in by SO_REUSEPORT and get
 * a part of the clients. NULL with errno. */
struct listener *listeners_bind(const struct endpoint *endpoint, bool needs_proxy_header, uint32_t count);
/* The same of one socket that listens already, and that others keep open as well, or not; takes the descriptor over,
 * and closes it where it fails. What of the socket another process would notice stays as it is until it listens. */
struct listener *listener_adopt(const struct endpoint *endpoint, bool needs_proxy_header, uint32_t number,
                                int fd, bool is_inherited);
/* Lets clients connect to all of a list, and returns NULL; or to none, and returns with errno the one that fails. */
const struct listener *listeners_listen(struct listener *first);
/* So many threads are going to use it. */
void listener_set_users(struct listener *listener, uint32_t users);
/* Its users find out by themselves, but may sleep. */
void listener_depart(struct listener *listener, uint64_t now_ms);
/* The same of one that another process has or takes: it goes at once, and those in its queue are the successor's. */
void listener_hand_back(struct listener *listener);
/* The socket sees no SYN any more, but all that belongs to handshakes that have begun; or it sees them again. */
void listening_socket_ignore_new(int fd);
void listening_socket_heed_new(int fd);
/* Frees a list of sockets that have no users, or have none any more. */
void listeners_free(struct listener *first);

/* ---- any thread */

static inline bool listener_is_departing(const struct listener *listener)
{
        return atomic_load_explicit(&listener->departed_ms, memory_order_acquire) != 0;
}

enum departure {
        DEPARTURE_YOUNG, /* some may come still */
        DEPARTURE_RIPE,  /* it is over when the queue is empty */
        DEPARTURE_LATE,
        DEPARTURE_OVER,
        DEPARTURE_HANDED_BACK, /* it is over, and nobody in its queue is ours */
};

/* Of one that departs. */
enum departure listener_departure(const struct listener *listener, uint64_t now_ms);
/* A user: it does not use the listener any more. Gives how many that leaves behind in the queue. */
uint32_t listener_leave(struct listener *listener);
