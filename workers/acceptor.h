/* An acceptor thread: takes connections from the listening sockets, keeps the limits, and deals sockets out
 * to the workers. */
#pragma once

#include "workers/listener.h"
#include "workers/worker.h"

/* What acceptors find out about the whole server. */
struct load {
        _Atomic bool under_stress;
        _Atomic bool is_full; /* nobody is accepted; said in the log once */
};

enum acceptor_order_kind {
        ACCEPTOR_LISTEN, /* the order brings a reference to the listener */
        ACCEPTOR_LEAVE,  /* takes what is in the backlog, then gives the reference back */
        ACCEPTOR_STOP,   /* leaves all listeners and ends */
};

struct acceptor_order {
        struct parcel parcel;
        enum acceptor_order_kind kind;
        struct listener *listener;
};

struct acceptor {
        /* Fixed after start. */
        uint32_t number;
        uint32_t acceptor_count, worker_count;
        struct worker *workers;
        struct current *current; /* as pinner worker_count + number */
        struct client_table *clients;
        const struct ledger *ledger;
        struct log_writer *log;
        struct load *load;
        uint64_t sessions_max; /* that the descriptors are enough for */
        pthread_t thread;
        int epoll_fd;
        struct channel *orders; /* from the main thread */

        struct waker waker;

        /* Owner: the thread. */
        struct listener **listeners;
        size_t listener_count;
        bool is_paused; /* its listeners are out of epoll */
        bool is_stopping;
        uint32_t turn; /* whose turn among the workers */
        uint64_t now_ms, look_again_ms;
        uint64_t shortage_said_ms, refusal_said_ms, refusals_unsaid;

        /* Read by others. */
        _Alignas(64) struct counters counters;
};

/* False when memory or descriptors are out. The other members marked as fixed are the caller's to set before.
 */
bool acceptor_init(struct acceptor *acceptor);
bool acceptor_start(struct acceptor *acceptor);
/* Main thread. False when memory is out. */
bool acceptor_order(struct acceptor *acceptor, enum acceptor_order_kind kind, struct listener *listener);
void acceptor_join(struct acceptor *acceptor);
void acceptor_end(struct acceptor *acceptor);

/* Sockets open at all workers. */
uint64_t workers_open(const struct worker *workers, uint32_t worker_count);
