/* From the configuration to the options of cache and pool. */
#include "dns/pool/settings.h"

/* As options.def has them; tests/unit/dns/pool/test_settings.c sees to it. */
const struct dns_cache_options dns_cache_defaults = {
    .octets_max = 64 << 20,
    .deferred_octets_max = 8 << 20,
    .ttl_min_s = 1,
    .ttl_max_s = 86400,
    .negative_ttl_max_s = 600,
    .failure_ttl_s = 1,
    .stale_s = 86400,
    .stale_recheck_s = 30,
};

const struct dns_pool_options dns_pool_defaults = {
    .threads = 2,
    .attempt_timeout_ms = 1500,
    .deadline_ms = 5000,
    .in_flight_max = 1000,
    .waiting_max = 8192,
};

/* Half a second is not nothing. */
static uint32_t whole_seconds(uint64_t ms)
{
        return (uint32_t)((ms + 999) / 1000);
}

struct dns_cache_options dns_cache_settings(const struct options *options)
{
        return (struct dns_cache_options){
            .octets_max = options->dns_cache_size,
            .deferred_octets_max = options->dns_cache_size / 8,
            .ttl_min_s = whole_seconds(options->dns_ttl_min),
            .ttl_max_s = whole_seconds(options->dns_ttl_max),
            .negative_ttl_max_s = whole_seconds(options->dns_negative_ttl_max),
            .failure_ttl_s = whole_seconds(options->dns_failure_ttl),
            .stale_s = whole_seconds(options->dns_stale),
            .stale_recheck_s = whole_seconds(options->dns_stale_recheck),
        };
}

struct dns_pool_options dns_pool_settings(const struct options *options)
{
        return (struct dns_pool_options){
            .upstreams = options->resolvers.endpoints,
            .upstream_count = options->resolvers.count,
            .threads = (uint32_t)options->dns_threads,
            .attempt_timeout_ms = (uint32_t)options->dns_attempt_timeout,
            .deadline_ms = (uint32_t)options->dns_question_timeout,
            .in_flight_max = (uint32_t)options->dns_in_flight_max,
            .waiting_max = (uint32_t)options->dns_waiting_max,
        };
}
