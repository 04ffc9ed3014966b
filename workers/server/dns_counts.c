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

void dns_counts_look(struct dns_counts *counts, uint64_t now_ms)
{
        uint64_t interval_ms =
            atomic_load(&counts->publication->published)->snapshot->options.dns_log_interval_ms;

        if (counts->due_ms == 0 || counts->due_ms > now_ms + interval_ms)
                counts->due_ms = now_ms + interval_ms;
        if (interval_ms == 0 || now_ms < counts->due_ms)
                return;
        counts->due_ms = now_ms + interval_ms;
        dns_counts_log(counts);
}
