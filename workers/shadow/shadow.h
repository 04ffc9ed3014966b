/* Another configuration judges sessions beside the one in force, when they are over: a share of them has a tape, which
 * goes to a thread of its own and is played there under the other configuration. So it can change no reply, no store
 * and no rate. What only the other one asks, the thread asks DNS, within bounds of its own.
 *
 * The thread is there while there is a shadow. The main thread starts and stops it. */
#pragma once

#include "core/rehearse/rehearsal.h"
#include "dns/pool/pool.h"
#include "workers/feed/keeper.h"
#include "workers/log/writer.h"
#include "workers/shadow/lane.h"
#include "workers/thread/waker.h"

#include <pthread.h>

#define SHADOW_PATH_MAX 1000
#define SHADOW_CASES    64  /* sessions that wait for answers at a time */
#define SHADOW_OUT_MAX  64  /* questions out at a time, and ... */
#define SHADOW_OUT_PART 16  /* ... this part of the places of all resolver threads */
#define SHADOW_ASKS_MAX 500 /* of them a second */

/* What it works with; all of it outlives it. */
struct shadow_parts {
        uint32_t worker_count;
        struct dns_pool *dns_pool;
        uint32_t client;     /* of the pool */
        uint64_t dns_places; /* of all its threads */
        struct log_writer *log;
};

/* What is to judge. Taken over by shadow_start(). */
struct shadow_subject {
        char path[SHADOW_PATH_MAX];
        char own[SHADOW_PATH_MAX]; /* the file that the server itself reads; empty: it is gone */
        uint32_t share_ppm;
        struct snapshot *snapshot;
        struct feed_keeper feeds; /* its lists, read once */
};

/* Beside what the rehearsal counts. */
struct shadow_counts {
        uint64_t over_cost;                 /* sessions that were not judged, because that had cost enough */
        uint64_t outdated;                  /* those judged under a configuration that is not in force */
        uint64_t asked_sessions, questions; /* that asked what nobody had asked; those that went to DNS */
        uint64_t waited_ms, waited_max_ms;  /* for their answers */
        uint64_t over_budget;               /* sessions that might not ask all that they wanted */
};

/* Of all lanes, since the start of the server. */
struct shadow_lane_counts {
        uint64_t lost, too_long, outdated;
};

struct shadow_case;

struct shadow_run {
        struct shadow_subject *subject;
        int64_t begun_s, since_s;         /* since 1970; when the counts began */
        uint64_t reloads;                 /* of the configuration in force */
        struct shadow_lane_counts before; /* when the counts began */
        struct rehearsal *rehearsal;
        struct shadow_counts counts;
        struct block_pool pool;
        struct dns_source further; /* what is not on a tape */
        struct shadow_case *cases, *at_hand;
        uint64_t second_ms;      /* when this one began, of ... */
        uint64_t asked, told;    /* questions and lines in it, ... */
        uint64_t own_ns, all_ns; /* and of CPU time until then, of the thread and of the process */
        uint64_t told_all;
};

struct shadow {
        /* Fixed. */
        struct shadow_parts parts;
        struct shadow_lane *lanes; /* one for each worker */
        struct dns_client *dns;
        struct waker waker;

        _Atomic uint64_t epoch; /* of the configuration in force, and of the shadow */
        _Atomic bool is_stopping;
        pthread_t thread;
        bool is_left;         /* the thread did not end */
        pthread_mutex_t lock; /* never on a session's way; held while sessions are judged, or names sorted */

        struct shadow_run *run; /* under the lock; NULL: there is no shadow */

        _Atomic uint64_t out; /* questions; written by the thread */
        uint64_t out_max;     /* fixed */

        /* Owner: the thread. */
        uint64_t sequence; /* of cases */
        struct counters counters;
};

/* False when memory or descriptors are out. */
bool shadow_init(struct shadow *shadow, const struct shadow_parts *parts);
/* Nobody uses it any more, and nobody was left behind who may. */
void shadow_end(struct shadow *shadow);
struct shadow_lane_counts shadow_count_lanes(const struct shadow *shadow);
/* For that worker's sessions. */
struct tape_sink *shadow_sink(struct shadow *shadow, uint32_t worker);

/* Main thread: NULL, or why it cannot be started, a constant; then the subject is still the caller's. */
const char *shadow_start(struct shadow *shadow, struct shadow_subject *subject);
static inline bool shadow_is_on(const struct shadow *shadow)
{
        return shadow->run != NULL;
}
/* Main thread: another configuration is in force, and the counts begin anew. */
void shadow_forget(struct shadow *shadow);
/* Main thread: takes the answers that come when there is no shadow any more, so that nobody counts them as out. */
void shadow_take_late(struct shadow *shadow);
/* Main thread: ends its thread alone, at the stop of the server: whoever reads what it has judged by may still do so
 * until shadow_end(). As shadow_stop() otherwise. */
bool shadow_halt(struct shadow *shadow, const char *why, uint64_t until_ms);
/* Main thread: ends it. `why` is for the log. False when the thread runs still at this moment of
 * clock_monotonic_ms(). */
bool shadow_stop(struct shadow *shadow, const char *why, uint64_t until_ms);
/* Without a snapshot. NULL when memory is out. */
struct shadow_subject *shadow_subject_create(void);
/* With its snapshot. NULL does nothing. */
void shadow_subject_free(struct shadow_subject *subject);
