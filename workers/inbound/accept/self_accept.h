/* Where there are no acceptor threads: a worker takes connections from the listening sockets, which all
 * workers share. Whichever worker has time takes the next one (EPOLLEXCLUSIVE). For comparison with
 * acceptors: no connection waits for another thread to run, but the busiest worker may hold many times what
 * the others hold. */
#pragma once

#include "workers/inbound/accept/admission.h"
#include "workers/inbound/accept/order.h"
#include "workers/inbound/worker.h"

struct watched {
        struct listener *listener;
        bool is_in_epoll;
};

struct self_accept {
        /* Fixed after start. */
        struct worker *worker;  /* whose thread runs this */
        struct channel *orders; /* from the main thread */

        /* Owner: the worker's thread. */
        struct admission admission;
        struct watched *watched;
        size_t listener_count;
        bool is_paused;         /* its listeners are out of epoll; else all are in it */
        bool is_stopping;       /* all listeners depart */
        uint64_t look_again_ms; /* when it is paused */
        uint64_t shortage_ms;   /* how long it pauses next when descriptors are out */
};

/* `parts`: all but what the worker is for. False when memory is out. */
bool self_accept_init(struct self_accept *self, struct worker *worker, const struct admission_parts *parts);
void self_accept_end(struct self_accept *self);
/* Main thread. False when memory is out. */
bool self_accept_order(struct self_accept *self, enum accept_order_kind kind, struct listener *listener);

/* ---- the worker's thread */

/* Connections wait at the listener: takes up to `max` of them. */
void self_accept_event(struct self_accept *self, struct listener *listener, uint64_t max);
/* Once a turn: orders, and whether a pause or stress is over. */
void self_accept_look(struct self_accept *self);
bool self_accept_has_orders(const struct self_accept *self);
/* How long the worker may sleep, where it would sleep `wait_ms` (-1: for ever). */
int self_accept_wait_ms(const struct self_accept *self, int wait_ms);
