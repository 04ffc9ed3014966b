/* Watches the DNS lists: their test points (RFC 5782 5) and how many clients they list. A zone that fails, or
 * that of a sudden lists nearly every client and addresses at random, is suspended with an alarm in the log.
 * Runs in the main thread, once a second. */
#pragma once

#include "conf/snapshot.h"
#include "core/base/arena.h"
#include "dns/pool/pool.h"
#include "core/smtp/metrics.h"
#include "workers/log/writer.h"
#include "workers/thread/publication.h"

/* Owner: the main thread. */
struct watched_zone {
        char name[254];     /* the snapshot that it came from may be gone */
        struct arena arena; /* of the test that runs */
        struct memo memo;
        bool is_tested;  /* a test runs ... */
        bool is_sampled; /* ... for addresses at random too, made from `seed` */
        uint32_t seed;
        uint64_t test_at_ms; /* the next one; with suspicion it may come at suspicion_at_ms */
        uint64_t suspicion_at_ms;
        bool fails_test, is_suspicious, lists_too_many;
        uint64_t asked, listed, looked_at_ms; /* at the last look at its share */
        double usual;                         /* share of clients listed so far; negative: not known yet */
};

/* What the watch works with; all of it outlives the watch. */
struct zone_watch_parts {
        struct publication *publication;
        struct dns_pool *pool;
        uint32_t client; /* of the pool */
        const struct counters_list *counters;
        struct log_writer *log;
};

struct zone_watch {
        struct zone_watch_parts parts;
        struct block_pool pool;
        struct dns_client *client;
        _Atomic bool is_asleep; /* never: the thread looks once a second by itself */
        int event_fd;
        struct snapshot *snapshot; /* whose zones these are */
        uint64_t published;        /* its number; 0: there is none yet */
        uint64_t generation;
        struct watched_zone zones[DNSBL_ZONES_MAX];
};

/* The thread must be registered with RCU. False when descriptors are out. */
bool zone_watch_init(struct zone_watch *watch, const struct zone_watch_parts *parts);
void zone_watch_look(struct zone_watch *watch, uint64_t now_ms);
/* Before `snapshot` is published: its zones that were suspended are still. */
void zone_watch_inherit(const struct zone_watch *watch, struct snapshot *snapshot);
void zone_watch_end(struct zone_watch *watch);
