/* dns/settings: what the configuration says reaches cache and pool. */
#include "dns/pool/settings.h"

#include "tests/unit/conf/fixture.h"

TestSuite(dns_settings, .init = folder_begin, .fini = folder_end);

static void expect_pool(const struct dns_pool_options *pool, const struct dns_pool_options *expected)
{
        cr_expect_eq(pool->threads, expected->threads);
        cr_expect_eq(pool->attempt_timeout_ms, expected->attempt_timeout_ms);
        cr_expect_eq(pool->deadline_ms, expected->deadline_ms);
        cr_expect_eq(pool->in_flight_max, expected->in_flight_max);
        cr_expect_eq(pool->waiting_max, expected->waiting_max);
}

static void expect_cache(const struct dns_cache_options *cache, const struct dns_cache_options *expected)
{
        cr_expect_eq(cache->octets_max, expected->octets_max);
        cr_expect_eq(cache->deferred_octets_max, expected->deferred_octets_max);
        cr_expect_eq(cache->ttl_min_s, expected->ttl_min_s);
        cr_expect_eq(cache->ttl_max_s, expected->ttl_max_s);
        cr_expect_eq(cache->negative_ttl_max_s, expected->negative_ttl_max_s);
        cr_expect_eq(cache->failure_ttl_s, expected->failure_ttl_s);
        cr_expect_eq(cache->stale_s, expected->stale_s);
        cr_expect_eq(cache->stale_recheck_s, expected->stale_recheck_s);
}

Test(dns_settings, programs_without_a_configuration_have_its_defaults)
{
        struct snapshot *snapshot = load(HOSTNAME DOMAIN);
        struct dns_cache_options cache = dns_cache_settings(&snapshot->options),
                                 cache_defaults = dns_cache_defaults();
        struct dns_pool_options pool = dns_pool_settings(&snapshot->options),
                                pool_defaults = dns_pool_defaults();

        expect_cache(&cache, &cache_defaults);
        expect_pool(&pool, &pool_defaults);
        cr_expect_eq(pool_defaults.threads, 2);
        cr_expect_eq(cache_defaults.octets_max, 64 << 20);
        snapshot_free(snapshot);
}

Test(dns_settings, every_option_has_its_place)
{
        struct snapshot *snapshot =
            load(HOSTNAME DOMAIN "resolvers = {\"127.0.0.1:53\", \"127.0.0.1:54\"} dns_threads = 3 "
                                 "dns_attempt_timeout = 100ms dns_question_timeout = 2s "
                                 "dns_in_flight_max = 20 dns_waiting_max = 0 dns_cache_size = 8M "
                                 "dns_ttl_min = 5s dns_ttl_max = 1h dns_negative_ttl_max = 1m "
                                 "dns_failure_ttl = 500ms dns_stale = 0s dns_stale_recheck = 2s");
        struct dns_cache_options cache = dns_cache_settings(&snapshot->options);
        struct dns_pool_options pool = dns_pool_settings(&snapshot->options);

        /* Half a second is not nothing. */
        expect_cache(&cache, &(struct dns_cache_options){8 << 20, 1 << 20, 5, 3600, 60, 1, 0, 2});
        expect_pool(&pool, &(struct dns_pool_options){.threads = 3,
                                                      .attempt_timeout_ms = 100,
                                                      .deadline_ms = 2000,
                                                      .in_flight_max = 20,
                                                      .waiting_max = 0});
        cr_expect_eq(pool.upstream_count, 2);
        snapshot_free(snapshot);
}
