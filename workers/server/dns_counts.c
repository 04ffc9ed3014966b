/* The log's event `dns`. */
#include "workers/server/dns_counts.h"

#include "workers/server/server.h"

static const char *const names[] = {
#define CACHE_METRIC(name, kind, help) "cache_" #name,
#define POOL_METRIC(name, kind, help)  "pool_" #name,
#include "dns/metrics.def"
    NULL};

void dns_report_say(struct server *server)
{
        struct dns_cache_counts cache = {0};
        struct dns_pool_counts pool = {0};

        dns_cache_count(server->dns_cache, &cache);
        dns_pool_count(server->dns_pool, &pool);
        const uint64_t numbers[] = {
#define CACHE_METRIC(name, kind, help) cache.name,
#define POOL_METRIC(name, kind, help)  pool.name,
#include "dns/metrics.def"
        };
        log_event_numbers(&server->log, "dns", names, numbers);
}

void dns_report_look(struct dns_report *report, struct server *server, uint64_t now_ms)
{
        uint64_t interval_ms = atomic_load(&server->current.published)->snapshot->options.dns_log_interval;

        if (report->due_ms == 0 || report->due_ms > now_ms + interval_ms)
                report->due_ms = now_ms + interval_ms;
        if (interval_ms == 0 || now_ms < report->due_ms)
                return;
        report->due_ms = now_ms + interval_ms;
        dns_report_say(server);
}
