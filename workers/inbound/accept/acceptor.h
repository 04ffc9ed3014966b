/* An acceptor thread: takes connections from its own socket of each listener, judges what needs no session,
 * answers 421 itself, and hands the others to workers. One for each eight workers, started once: its rings
 * last as long as the server, and listeners may come and go.
 *
 * With one listener, which is usual for a thread on a busy server, it blocks in accept4(): one call for each
 * connection. With several it sleeps in ppoll() first, for a call more. A thread for each listener would save
 * that call and cost rings, and looks at them by every worker in every turn, for each of them. */
#pragma once

#include "workers/inbound/accept/admission.h"
#include "workers/inbound/accept/order.h"
#include "workers/inbound/accept/pace.h"
#include "workers/inbound/heartbeat.h"

#include <poll.h>
#include <pthread.h>

struct acceptor_parts {
        uint32_t number;
        uint32_t acceptor_count;
        uint32_t pinner;
        uint32_t id_lane;
        struct publication *publication;
        struct log_writer *log;
        const struct id_key *id_key;      /* for the time of the call */
        struct admission_parts admission; /* all but what the acceptor is for */
};

struct acceptor {
        /* Fixed after start. */
        uint32_t number;
        uint32_t pinner;
        struct publication *publication;
        struct channel *orders; /* from the main thread */
        pthread_t thread;

        /* Owner: the thread. */
        struct session_host host; /* of what is told without a session */
        struct admission admission;
        struct handover handover;
        struct pace pace;
        struct listener **listeners;
        struct pollfd *polled; /* the same sockets */
        size_t listener_count;
        bool is_blocking; /* the one listener's socket is */
        bool is_full;     /* no room was left; nobody is accepted before there is some for a while */
        bool has_more;    /* fast: the last burst ended for want of room, not of connections */
        bool is_stopping;
        uint64_t shortage_us; /* how long it napped last for want of descriptors; 0: it has accepted since */

        /* Read by others. */
        struct heartbeat heartbeat; /* of turns alone: 0 while it waits for somebody to come */
        struct counters counters;
};

/* False when memory is out. */
bool acceptor_init(struct acceptor *acceptor, const struct acceptor_parts *parts);
bool acceptor_start(struct acceptor *acceptor);
/* Main thread. The acceptor takes the order soon. False when memory is out. */
bool acceptor_order(struct acceptor *acceptor, enum accept_order_kind kind, struct listener *listener);
/* Main thread: returns when all have taken their orders, or behind two thousand tries of a millisecond; then they
 * take them when they can. */
void acceptors_await(struct acceptor *acceptors, uint32_t count);
/* After ACCEPT_STOP, which leaves nobody who has come without an answer. False when it runs still at this moment of
 * clock_monotonic_ms(). */
bool acceptor_join(struct acceptor *acceptor, uint64_t until_ms);
void acceptor_end(struct acceptor *acceptor);
