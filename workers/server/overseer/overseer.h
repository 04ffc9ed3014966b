/* The overseer, a small thread that looks at the whole server twenty times a second: it measures what presses, sets
 * the rung of the ladder of load (core/base/ladder), notices threads that do not turn, and lets a service manager know.
 * No session waits for it. */
#pragma once

#include "workers/inbound/accept/acceptor.h"
#include "workers/inbound/worker.h"
#include "workers/server/overseer/turns.h"
#include "workers/server/overseer/watchdog.h"

struct overseer_parts {
        struct load *load;
        struct publication *publication;
        uint32_t pinner;
        struct worker *workers;
        uint32_t worker_count;
        uint64_t sessions_max; /* that the descriptors are enough for */
        const struct budget *budget;
        const _Atomic uint64_t *handshakes; /* of TLS, under way at all workers */
        struct dns_pool *dns_pool;
        uint64_t dns_in_flight_max;         /* of each of its threads */
        const _Atomic uint64_t *shadow_out; /* questions that no session waits for */
        const struct acceptor *acceptors;
        uint32_t acceptor_count;
        const struct heartbeat *main_thread;
        const struct notify *notify;
        struct log_writer *log;
};

struct overseer {
        /* Fixed after start. */
        struct overseer_parts parts;
        pthread_t thread;
        bool is_started;

        _Atomic bool is_stopping;
        _Atomic bool is_end; /* of the server: threads end, and none of them is missed */

        /* Owner: the thread. */
        struct ladder ladder;
        struct turns turns;
        struct turns others; /* of the acceptors and, last, of the main thread */
        struct watchdog watchdog;

        /* Read by others. */
        _Atomic uint64_t looked_ms; /* monotonic: at all that it looks at, for the last time */
        struct counters counters;
};

/* False when memory is out. */
bool overseer_init(struct overseer *overseer, const struct overseer_parts *parts);
bool overseer_start(struct overseer *overseer);
/* The server begins to stop. */
void overseer_note_end(struct overseer *overseer);
/* Before anything that it looks at ends. False when it runs still at this moment of clock_monotonic_ms(). */
bool overseer_stop(struct overseer *overseer, uint64_t until_ms);
void overseer_end(struct overseer *overseer);
