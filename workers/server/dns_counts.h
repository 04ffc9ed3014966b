/* Tells the log how cache and resolvers do: event `dns`, one number for each row of dns/metrics.def. */
#pragma once

#include "dns/pool/pool.h"
#include "workers/log/writer.h"

/* Owner: the main thread. */
struct dns_counts {
        struct dns_cache *cache;
        struct dns_pool *pool;
        struct log_writer *log;
};

void dns_counts_log(const struct dns_counts *counts);
