/* A connection's way from an acceptor thread to a worker: by value into a ring between the two, and then, by
 * EPOLL_CTL_ADD, into the worker's epoll. That wakes the worker as soon as there is something to do: at the
 * client's first octet, where the acceptor has greeted; at once, where the worker is to greet, and sleeps.
 *
 *      acceptor   [banner]  ──>  slot in the ring  ──>  ADD: an event, now or at the client's first octet
 *      worker     epoll_wait  ──>  takes all slots  ──>  events  ──>  looks for slots, and sleeps
 *
 * So whoever has an event is known to the worker. A worker that is awake may know a connection before its ADD,
 * and must not close it before: the number could be another's by then. Nothing is allocated on the way, and no
 * thread gives back what is another's. */
#pragma once

#include "core/base/ring.h"
#include "core/smtp/session.h"
#include "core/senders/client_table.h"

struct connection;
struct worker;

enum arrival_kind {
        ARRIVAL_CONNECTION,
        ARRIVAL_DROP, /* no event will ever come for the connection before it: that is to be ended */
};

/* An accepted socket. */
struct arrival {
        int fd;
        enum arrival_kind kind;
        struct client_seat seat;
        struct session_peer peer; /* with `excess` NULL */
        struct rate_excess excess;
};

#define ARRIVAL_SLOTS 256 /* a worker takes them every turn; a few together stay in its cache */
RING(arrival_ring, arrival, ARRIVAL_SLOTS);

/* From one acceptor to one worker; the worker's memory. */
struct inflow {
        _Alignas(64) struct arrival_ring ring;
        /* Connections so far. Written by the acceptor alone, or by the worker where it accepts for itself. */
        _Alignas(64) _Atomic uint64_t assigned;
        /* How many of them have their ADD behind them, be it well or not. Written by the acceptor alone. */
        _Atomic uint64_t added;
        /* Owner: the worker. */
        _Alignas(64) uint64_t taken; /* connections out of the ring */
        struct connection *last;     /* of these; NULL: it has been closed */
};

/* The worker: the acceptor does not need the descriptor of the last one any more. */
static inline bool inflow_is_settled(const struct inflow *inflow)
{
        return atomic_load_explicit(&inflow->added, memory_order_acquire) >= inflow->taken;
}

void inflow_init(struct inflow *inflow);
/* The worker: an acceptor still needs the connection's descriptor. */
bool inflows_hold(struct inflow *inflows, uint32_t count, const struct connection *connection);

/* What an acceptor knows of a worker. */
struct worker_view {
        uint64_t others;  /* connections assigned by other acceptors, as of the last look */
        int64_t load;     /* open connections, as of ... */
        uint64_t load_ms; /* ... then, and those that it was given here since */
};

/* An acceptor's way to the workers. Owner: the acceptor. */
struct handover {
        uint32_t number; /* the acceptor's: which inflow of each worker is its own */
        uint32_t worker_count, acceptor_count;
        struct worker *workers;
        struct worker_view *views; /* of each worker */
        uint64_t random_state;
};

/* False when memory is out. */
bool handover_init(struct handover *handover, uint32_t number, uint32_t acceptor_count,
                   struct worker *workers, uint32_t worker_count);
void handover_end(struct handover *handover);
/* Looks at what other acceptors have assigned. Once in a while: it reads a counter of each for each worker. */
void handover_look(struct handover *handover);

/* Of two workers, and how many connections they have: the lower one unless it has clearly more. So one worker
 * is warm when there is little to do, and with much to do all have about the same. */
static inline bool handover_prefers_lower(int64_t lower, int64_t higher)
{
        return lower <= higher + higher / 16 + 2;
}

/* Gives the connection to the less loaded of two workers, as far as is known in this millisecond; waits while the
 * rings are full, which they are for a worker's turn. False with errno: epoll takes no more, and the connection is
 * going to be closed. */
bool handover_send(struct handover *handover, struct arrival *arrival, uint64_t now_ms);
