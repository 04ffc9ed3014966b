/* Who is let in: the limits of the whole server, of each client and network, and the penalties of the check
 * client_rate. The same for acceptor threads and for workers that accept for themselves; each has an
 * admission of its own. */
#pragma once

#include "core/smtp/door/door.h"
#include "dns/look.h"
#include "workers/inbound/accept/handover.h"
#include "workers/inbound/accept/listener.h"
#include "workers/inbound/load.h"
#include "workers/thread/publication.h"

#include <stdarg.h>
#include <sys/socket.h>

struct admission_parts {
        struct load *load;
        struct client_table *clients;
        const struct ledger *ledger;
        struct worker *workers;
        uint32_t worker_count;
        uint32_t sharer_count; /* so many admissions let in under one limit */
        uint64_t sessions_max; /* that the descriptors are enough for */
        struct counters *counters;
        struct dns_cache *dns_cache;
        struct session_host *host; /* for what is told without a session: ids and times */
        bool host_is_own;          /* it has no other owner, who would keep its times and its rung */
        /* Writes an event to the log, as log_event() does. */
        void (*log)(void *logger, const char *event, va_list pairs);
        void *logger;
};

struct admission {
        struct admission_parts parts;
        struct dns_look looks;
        struct door door;

        /* Owner: the thread. It sets the time before it calls. */
        uint64_t now_ms;
        uint64_t left;      /* so many may be let in before the counts are looked at again */
        uint64_t looked_ms; /* when they were */
        uint64_t open, max; /* as of then, with those that were let in here since */
        uint64_t shortage_logged_ms, refusal_logged_ms, refusals_unlogged;
        int spare_fd; /* given up for a moment when descriptors are out and somebody is to be told; -1: none */
};

/* What became of the attempt to accept one. */
enum accepted {
        ACCEPTED,
        ACCEPTED_NOBODY, /* nobody waits */
        ACCEPTED_SHORTAGE,
};

void admission_init(struct admission *admission, const struct admission_parts *parts);
void admission_end(struct admission *admission);

/* How many may be accepted now; 0: the server is full, which is in the log then. The workers' counts are read
 * once for many connections, as long as there is much room. */
uint64_t admission_room(struct admission *admission, const struct snapshot *snapshot);
/* Reads the counts now. */
void admission_look(struct admission *admission, const struct snapshot *snapshot);
/* After the server was full: there is room for a while again. */
bool admission_may_resume(struct admission *admission, const struct snapshot *snapshot);

/* Takes over the socket, which counts against admission_room(). False: it was refused, and is closed. True:
 * *ret_arrival is to become a connection. */
bool admission_judge(struct admission *admission, const struct snapshot *snapshot,
                     const struct listener *listener, int fd, const struct sockaddr *client,
                     struct arrival *ret_arrival);
/* For one that was let in: there is no memory for it after all. */
void admission_send_away(struct admission *admission, const struct snapshot *snapshot,
                         const struct arrival *arrival);
/* Takes one out of the queue, says that the server is closing, and closes. That is possible also where descriptors
 * are out. */
enum accepted admission_turn_away(struct admission *admission, const struct snapshot *snapshot,
                                  const struct listener *listener);
/* The listener is not used any more by whoever this is; logs those in its queue, who are lost. */
void admission_leave(struct admission *admission, struct listener *listener);
/* Nobody is accepted from the listener, for this error: logs it, once a minute. */
void admission_note_deaf(struct admission *admission, const struct listener *listener, int error);
/* accept4() or epoll_ctl() failed for want of descriptors or memory: logs it, once a minute. */
void admission_note_shortage(struct admission *admission, const char *event, int error);
bool error_is_shortage(int error);
