/* Tells the log, now and then, how cache and resolvers do: event `dns`, one number for each row of
 * dns/metrics.def. */
#pragma once

#include "dns/pool/pool.h"
#include "workers/log/writer.h"
#include "workers/thread/publication.h"

/* Owner: the main thread. */
struct dns_counts {
        struct publication *publication;
        struct dns_cache *cache;
        struct dns_pool *pool;
        struct log_writer *log;
        uint64_t due_ms; /* 0: not yet known */
};

/* Once a second: writes when the interval of the configuration has passed. */
void dns_counts_look(struct dns_counts *counts, uint64_t now_ms);
/* Writes now. */
void dns_counts_log(const struct dns_counts *counts);
