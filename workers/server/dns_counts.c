/* The log's event `dns`. */
#include "workers/server/dns_counts.h"

static const char *const names[] = {
#define CACHE_METRIC(name, kind, help) "cache_" #name,
#define POOL_METRIC(name, kind, help)  "pool_" #name,
#include "dns/metrics.def"
    NULL};

void dns_counts_log(const struct dns_counts *counts)
{
        struct dns_cache_counts cache = {0};
        struct dns_pool_counts pool = {0};

        dns_cache_count(counts->cache, &cache);
        dns_pool_count(counts->pool, &pool);
        const uint64_t numbers[] = {
#define CACHE_METRIC(name, kind, help) cache.name,
#define POOL_METRIC(name, kind, help)  pool.name,
#include "dns/metrics.def"
        };
        log_event_numbers(counts->log, "dns", names, numbers);
}
