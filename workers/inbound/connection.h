/* One client's socket and the session on it. An idle connection holds no buffer. Owner: one worker, for its
 * whole life. */
#pragma once

#include "core/smtp/session.h"
#include "core/senders/client_table.h"
#include "workers/thread/publication.h"
#include "workers/deliver/delivery.h"
#include "workers/hop/thread.h"
#include "workers/journal/journal.h"
#include "workers/tls/stream.h"
#include "dns/pool/pool.h"
#include "workers/thread/wheel.h"
#include "dns/pool/client.h"

#include <sys/queue.h>

struct worker;
struct arrival;
struct inflow;
struct sender_job;
struct filtering;
struct filter_report;

/* Octets that had to be kept between two events. */
struct kept {
        size_t length, room; /* of octets */
        char octets[];
};

/* What TLS adds to a connection. */
struct connection_tls {
        struct tls_stream *stream;
        struct connection *connection;
        TAILQ_ENTRY(connection_tls) entry; /* of those whose handshake can go on */
        size_t counted;                    /* octets, with the worker's account */
        bool is_ready;                     /* it is in that list */
        bool has_place;                    /* among the handshakes under way */
};

TAILQ_HEAD(tls_queue, connection_tls);

/* What a worker has for TLS. */
struct tls_work {
        struct tls_buffers buffers;
        struct tls_queue ready; /* handshakes for which octets have come; the first waits longest */
};

struct connection {
        struct timer timer;
        LIST_ENTRY(connection) entry; /* of a bucket; also links unused ones */
        int fd;
        uint16_t drained_kib; /* thrown away since the session ended; each reading counts for one */
        uint16_t generation;  /* counts the uses of this memory: answers to an earlier one are not ours */
        enum session_wish wish;
        bool has_ended;         /* the session; only last words and their arrival are waited for */
        bool is_readable;       /* an edge has come and not everything behind it has been read */
        bool is_hung_up;        /* the client will send no more: read on to the end of file */
        bool wants_output_edge; /* registered for EPOLLOUT too */
        bool is_quit;           /* nothing more will come: close without waiting for the client */
        struct client_seat seat;
        struct published *published; /* pinned until the session has ended */
        struct kept *unread;         /* input that the session has not used yet */
        struct kept *unsent;         /* replies that the socket did not take; nothing is read meanwhile */
        struct transfer *transfer;   /* the message, where it goes to a next hop */
        struct spool *spool;         /* the message so far, when it is long */
        struct filtering *filtering; /* the mail filters that it has asked; NULL: none */
        struct connection_tls *tls;  /* NULL: it speaks in plain text */
        struct session session;
};

LIST_HEAD(connection_list, connection);

/* See connection_table.h. */
struct connections {
        struct connection_list *buckets; /* the open ones, by descriptor */
        size_t bucket_count;             /* a power of two */
        size_t open_count;
        struct connection_list closing; /* ended before the acceptor was done with them */
        struct connection_list unused;
        struct slab *slabs;
};

/* Takes over the arrival's socket, which is in the worker's epoll, or soon will be. Without memory the socket
 * is closed. `inflow`: it came that way; NULL: the worker has accepted it. */
void connection_begin(struct worker *worker, const struct arrival *arrival, struct inflow *inflow);
/* It never came into the worker's epoll: tells the client to come again, and ends. */
void connection_drop(struct worker *worker, struct connection *connection);
static inline bool connections_are_closing(const struct connections *connections)
{
        return !LIST_EMPTY(&connections->closing);
}

/* What epoll reports. */
void connection_event(struct worker *worker, struct connection *connection, uint32_t events);
/* Its handshake has its turn. */
void connection_go_on(struct worker *worker, struct connection *connection);
/* Its timer came up, maybe early. */
void connection_tick(struct worker *worker, struct connection *connection);
/* A piece of its long message was stored: it may read on. */
void connection_appended(struct worker *worker, struct connection *connection);
/* A next hop has given its go-ahead, or not. */
void connection_opened(struct worker *worker, struct connection *connection,
                       const struct store_report *report);
/* The mail filters have said what they think. */
void connection_filtered(struct worker *worker, struct connection *connection,
                         const struct filter_report *report);
void connection_stored(struct worker *worker, struct connection *connection,
                       const struct store_report *report);
/* DNS answers a question of the session with this handle, if it still is there. */
void connection_answer(struct worker *worker, const struct dns_reply_message *message);
/* The same from the store of senders. */
void connection_sender_answer(struct worker *worker, const struct sender_job *job);
/* A source of recipients has answered the session of this handle; see session_ruled(). */
void connection_ruled(struct worker *worker, uint64_t handle, const struct key128 *key, enum fact fact,
                      const struct ruling *ruling);
/* worker->host.rung or worker->memory has changed. */
void connection_stress(struct worker *worker, struct connection *connection);
/* A snapshot has become old; maybe the one that it pins. */
void connection_age(struct worker *worker, struct connection *connection);
/* The server is closing: worker->stopping tells how urgently. */
void connection_stop(struct worker *worker, struct connection *connection);
