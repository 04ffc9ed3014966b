/* Hop threads hand messages on to next hops. Each owns connections of its own, in an epoll loop: a session that waits
 * for a next hop costs no thread. Transfers come from workers by channels, and go back by others. */
#pragma once

#include "core/lookup/delivered.h"
#include "workers/hop/transfer.h"
#include "workers/log/writer.h"
#include "workers/thread/wheel.h"

#include <pthread.h>

#define HOP_HOSTNAME_MAX 255

/* What holds for all next hops. A connection keeps what held when it was made. */
struct hop_settings {
        char hostname[HOP_HOSTNAME_MAX + 1];
        enum hop_naming naming;
        uint32_t connections_max, waiting_max; /* of one thread with one target */
        uint32_t transactions_max;             /* of a connection; 0: any number */
        uint32_t failures_max;
        uint64_t connect_ms, open_ms, idle_ms, retry_ms;
        uint64_t patience_ms[HOP_PATIENCES];
        uint32_t callouts_max; /* as connections_max */
        uint64_t callout_ms;
        uint64_t refusals_ms, acceptances_ms,
            partings_ms; /* what hops say of recipients is remembered so long */
};

struct hop_target;
struct hop_connection;

TAILQ_HEAD(hop_connection_list, hop_connection);
LIST_HEAD(hop_target_list, hop_target);

struct hop_thread {
        /* Fixed after start. */
        uint32_t number;
        uint32_t worker_count;
        struct log_writer *log;
        pthread_t thread;
        int epoll_fd;
        struct channel *jobs;                /* one for each worker */
        struct channel **reports;            /* to each worker; set before start */
        const struct remembered *remembered; /* the same; NULL: nothing is */

        struct waker waker;
        _Atomic bool is_stopping;
        struct hop_settings *_Atomic next_settings; /* NULL: they hold on */

        /* Owner: the thread. */
        struct hop_settings settings;
        uint64_t now_ms;
        uint64_t random; /* state of a generator that need not be secret */
        struct wheel wheel;
        struct hop_target_list targets;
        struct transfer_list transfers; /* all that have not ended */
        struct transfer_list openings;  /* those whose OPEN is not reported, by their deadlines */
        struct transfer_list callouts;  /* the same of ASK, without those that have joined one */
        struct transfer_list seeking;   /* a target; of their entry `waiting` */
        struct hop_connection_list connections;
        struct hop_connection_list dead; /* closed in this turn; events may still name them */
        struct text out;                 /* of the connection at hand */
        char *input;
};

/* What the options say, for one of so many threads. */
void hop_settings_read(struct hop_settings *settings, const struct options *options, uint32_t threads);

/* False when memory or descriptors are out. */
bool hop_thread_init(struct hop_thread *thread, uint32_t number, uint32_t worker_count,
                     const struct hop_settings *settings, struct log_writer *log);
/* Before the start: reports to this worker go there. */
void hop_thread_connect(struct hop_thread *thread, uint32_t worker, struct channel *reports);
/* The same: what hops say of recipients goes there. */
void hop_thread_remember(struct hop_thread *thread, const struct remembered *remembered);
bool hop_thread_start(struct hop_thread *thread);
/* Any one thread: these hold from now on. False when memory is out. */
bool hop_thread_set(struct hop_thread *thread, const struct hop_settings *settings);
/* Tells the thread to end when each transfer has ended. No new one follows, and each gets its STORE or ABORT still. */
void hop_thread_stop(struct hop_thread *thread);
/* False when it runs still at this moment of clock_monotonic_ms(), or reports that nobody has taken keep it. */
bool hop_thread_join(struct hop_thread *thread, uint64_t until_ms);
void hop_thread_end(struct hop_thread *thread);
