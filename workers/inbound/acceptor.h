/* The accepting half of a worker: takes connections from the listening sockets, which all workers share,
 * keeps the limits, and begins sessions on those that are let in. There is no thread between client and
 * worker: whichever worker has time takes the next connection (EPOLLEXCLUSIVE), and no connection waits for
 * another thread to run. */
#pragma once

#include "workers/inbound/listener.h"
#include "workers/inbound/worker.h"

/* What acceptors find out about the whole server. */
struct load {
        _Atomic bool under_stress;
        _Atomic bool is_full; /* nobody is accepted; said in the log once */
};

enum acceptor_order_kind {
        ACCEPTOR_LISTEN, /* the order brings a reference to the listener */
        ACCEPTOR_LEAVE,  /* takes what is in the backlog, then gives the reference back */
        ACCEPTOR_STOP,   /* leaves all listeners */
};

struct acceptor_order {
        struct parcel parcel;
        enum acceptor_order_kind kind;
        struct listener *listener;
};

struct acceptor {
        /* Fixed after start. */
        struct worker *worker; /* whose thread runs this */
        struct worker *workers;
        uint32_t worker_count;
        struct load *load;
        uint64_t sessions_max;  /* that the descriptors are enough for */
        struct channel *orders; /* from the main thread */

        /* Owner: the worker's thread. */
        struct listener **listeners;
        size_t listener_count;
        bool is_paused; /* its listeners are out of epoll */
        bool is_stopping;
        uint64_t look_again_ms;
        uint64_t shortage_said_ms, refusal_said_ms, refusals_unsaid;
};

/* False when memory is out. The other members marked as fixed are the caller's to set before. */
bool acceptor_init(struct acceptor *acceptor);
void acceptor_end(struct acceptor *acceptor);
/* Main thread. False when memory is out. */
bool acceptor_order(struct acceptor *acceptor, enum acceptor_order_kind kind, struct listener *listener);

/* ---- the worker's thread */

/* A listener has been registered with the worker's epoll instance as this; other events carry connections. */
static inline void *acceptor_tag(struct listener *listener)
{
        return (char *)listener + 1;
}

static inline struct listener *acceptor_untag(void *pointer)
{
        return ((uintptr_t)pointer & 1) == 0 ? NULL : (struct listener *)(void *)((char *)pointer - 1);
}

/* Connections wait at the listener: takes up to `max` of them. */
void acceptor_event(struct acceptor *acceptor, struct listener *listener, uint64_t max);
/* Once a turn: orders, and whether a pause or stress is over. */
void acceptor_look(struct acceptor *acceptor);
bool acceptor_has_orders(const struct acceptor *acceptor);
/* How long the worker may sleep, where it would sleep `wait_ms` (-1: for ever). */
int acceptor_wait_ms(const struct acceptor *acceptor, int wait_ms);

/* Sockets open at all workers. */
uint64_t workers_open(const struct worker *workers, uint32_t worker_count);
