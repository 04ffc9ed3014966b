/* From the configuration to the options of cache and pool. */
#include "dns/pool/settings.h"

#include "conf/value/value.h"
#include "core/base/expect.h"

#define DEFAULTS_BLOCK_SIZE 4096

/* Half a second is not nothing. */
static uint32_t whole_seconds(uint64_t ms)
{
        return (uint32_t)((ms + 999) / 1000);
}

struct dns_cache_options dns_cache_settings(const struct options *options)
{
        return (struct dns_cache_options){
            .octets_max = options->dns_cache_size_octets,
            .deferred_octets_max = options->dns_cache_size_octets / 8,
            .ttl_min_s = whole_seconds(options->dns_ttl_min_ms),
            .ttl_max_s = whole_seconds(options->dns_ttl_max_ms),
            .negative_ttl_max_s = whole_seconds(options->dns_negative_ttl_max_ms),
            .failure_ttl_s = whole_seconds(options->dns_failure_ttl_ms),
            .stale_s = whole_seconds(options->dns_stale_ms),
            .stale_recheck_s = whole_seconds(options->dns_stale_recheck_ms),
        };
}

struct dns_pool_options dns_pool_settings(const struct options *options)
{
        return (struct dns_pool_options){
            .upstreams = options->resolvers.endpoints,
            .upstream_count = options->resolvers.count,
            .threads = (uint32_t)options->dns_threads,
            .attempt_timeout_ms = (uint32_t)options->dns_attempt_timeout_ms,
            .deadline_ms = (uint32_t)options->dns_question_timeout_ms,
            .in_flight_max = (uint32_t)options->dns_in_flight_max,
            .waiting_max = (uint32_t)options->dns_waiting_max,
        };
}

/* Those of the top level, as options.def has them; without lists and texts, whose memory is gone. */
static struct options default_options(void)
{
        struct options options;
        struct block_pool pool;
        struct arena memory;

        block_pool_init(&pool, DEFAULTS_BLOCK_SIZE, 0);
        arena_init(&memory, &pool, SIZE_MAX / 2);
        memset(&options, 0, sizeof options);
        for (const struct option_row *row = option_rows; row->name != NULL; row++)
                expect(value_set_default(row, &options, &memory));
        options.resolvers = (struct endpoint_list){0};
        arena_end(&memory);
        block_pool_end(&pool);
        return options;
}

struct dns_cache_options dns_cache_defaults(void)
{
        struct options options = default_options();
        return dns_cache_settings(&options);
}

struct dns_pool_options dns_pool_defaults(void)
{
        struct options options = default_options();
        return dns_pool_settings(&options);
}
