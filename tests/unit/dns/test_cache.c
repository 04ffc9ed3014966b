/* The cache in virtual time: lifetimes and their bounds, stale answers, refresh, eviction. */
#include "dns/cache.h"
#include "dns/pool/settings.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <urcu/urcu-memb.h>

static struct dns_cache *cache;
static struct block_pool blocks;
static struct arena arena;

static void cache_begin_with(struct dns_cache_options options)
{
        cache = dns_cache_create(&options);
        cr_assert_not_null(cache);
}

static void cache_begin(void)
{
        urcu_memb_register_thread();
        block_pool_init(&blocks, 65536, 4);
        arena_init(&arena, &blocks, SIZE_MAX);
        cache_begin_with(dns_cache_defaults());
}

static void cache_end(void)
{
        dns_cache_destroy(cache);
        arena_end(&arena);
        block_pool_end(&blocks);
        urcu_memb_unregister_thread();
}

TestSuite(cache, .init = cache_begin, .fini = cache_end);

static const struct dns_record record = {{"mx.test", 7}, 10};

static void put(const char *name, enum fact fact, uint32_t ttl_s, uint64_t now_ms)
{
        struct dns_question question = {.name = span_from(name), .type = DNS_MX};
        struct dns_answer answer = {.fact = fact, .ttl_s = ttl_s, .is_nxdomain = fact == FACT_ABSENT};
        if (fact == FACT_FOUND) {
                answer.record_count = 1;
                answer.records = &record;
        }
        dns_cache_put(cache, &question, &answer, now_ms);
}

static struct dns_answer got;

static enum dns_cache_result get(const char *name, uint64_t now_ms)
{
        struct dns_question question = {.name = span_from(name), .type = DNS_MX};
        return dns_cache_get(cache, &question, now_ms, &arena, &got);
}

Test(cache, answers_live_for_their_ttl)
{
        cr_expect_eq(get("a.test", 1000), CACHE_MISS);
        put("a.test", FACT_FOUND, 60, 1000);
        cr_expect_eq(get("a.test", 1000), CACHE_HIT);
        cr_expect_eq(got.ttl_s, 60);
        cr_expect(got.is_cached && !got.is_stale && got.record_count == 1 && got.records[0].preference == 10);
        cr_expect(span_equals(got.records[0].data, SPAN("mx.test")));
        cr_expect_eq(get("a.test", 60999), CACHE_HIT);
        cr_expect_eq(got.ttl_s, 1);
        cr_expect_eq(get("a.test", 61000), CACHE_MISS);
        struct dns_question question = {.name = SPAN("a.test"), .type = DNS_A};
        cr_expect_eq(dns_cache_get(cache, &question, 1000, &arena, &got), CACHE_MISS, "another type");
}

Test(cache, ttls_are_bounded)
{
        put("short.test", FACT_FOUND, 0, 0);
        cr_expect_eq(get("short.test", 999), CACHE_HIT);
        cr_expect_eq(get("short.test", 1000), CACHE_MISS);
        put("long.test", FACT_FOUND, UINT32_MAX, 0);
        cr_expect_eq(get("long.test", 86399999), CACHE_HIT);
        cr_expect_eq(get("long.test", 86400000), CACHE_MISS);
        put("no.test", FACT_ABSENT, 86400, 0);
        cr_expect_eq(get("no.test", 599999), CACHE_HIT);
        cr_expect(got.fact == FACT_ABSENT && got.is_nxdomain);
        cr_expect_eq(get("no.test", 600000), CACHE_MISS);
        put("bad.test", FACT_FAILED, 86400, 0);
        cr_expect_eq(get("bad.test", 999), CACHE_HIT);
        cr_expect_eq(got.fact, FACT_FAILED);
        cr_expect_eq(get("bad.test", 1000), CACHE_MISS);
}

Test(cache, failures_leave_answers_in_place)
{
        put("a.test", FACT_FOUND, 60, 0);
        put("a.test", FACT_FAILED, 0, 1000);
        cr_expect_eq(get("a.test", 2000), CACHE_HIT);
        cr_expect(got.fact == FACT_FOUND && !got.is_stale);
        cr_expect_eq(get("a.test", 60000), CACHE_MISS, "to be asked for again");
        put("a.test", FACT_FAILED, 0, 61000);
        cr_expect_eq(get("a.test", 61000), CACHE_HIT);
        cr_expect(got.fact == FACT_FOUND && got.is_stale && got.ttl_s == 0);
        cr_expect_eq(get("a.test", 90999), CACHE_HIT);
        cr_expect_eq(get("a.test", 91000), CACHE_MISS, "asked for again each 30 s");
        put("a.test", FACT_ABSENT, 60, 91000);
        cr_expect_eq(get("a.test", 91000), CACHE_HIT);
        cr_expect_eq(got.fact, FACT_ABSENT, "an answer replaces it");
        put("b.test", FACT_FOUND, 60, 0);
        put("b.test", FACT_FAILED, 0, 60000 + 86400000 - 1);
        cr_expect_eq(get("b.test", 60000 + 86400000 - 1), CACHE_HIT);
        cr_expect_eq(get("b.test", 60000 + 86400000), CACHE_MISS, "a day past its end");
        put("b.test", FACT_FAILED, 0, 60000 + 86400000);
        cr_expect_eq(get("b.test", 60000 + 86400000), CACHE_HIT);
        cr_expect_eq(got.fact, FACT_FAILED);
}

Test(cache, hot_answers_are_refreshed_by_one)
{
        put("hot.test", FACT_FOUND, 100, 0);
        put("cold.test", FACT_FOUND, 100, 0);
        for (int i = 0; i < 3; i++)
                cr_expect_eq(get("hot.test", 1000), CACHE_HIT);
        cr_expect_eq(get("hot.test", 89999), CACHE_HIT);
        cr_expect_eq(get("hot.test", 90000), CACHE_HIT_REFRESH);
        cr_expect_eq(get("hot.test", 90000), CACHE_HIT);
        cr_expect_eq(get("cold.test", 90000), CACHE_HIT);
        put("hot.test", FACT_FOUND, 100, 91000);
        cr_expect_eq(get("hot.test", 100000), CACHE_HIT);
        cr_expect_eq(get("hot.test", 189000), CACHE_HIT_REFRESH, "stays hot");
}

static void fill(unsigned from, unsigned to)
{
        char name[32];
        for (unsigned i = from; i < to; i++) {
                snprintf(name, sizeof name, "n%u.test", i);
                put(name, FACT_FOUND, 3600, 0);
        }
}

Test(cache, memory_is_bounded_and_used_names_stay)
{
        struct dns_cache_options options = dns_cache_defaults();
        struct dns_cache_counts counts;

        options.octets_max = 64 * 1024;
        options.deferred_octets_max = SIZE_MAX;
        dns_cache_destroy(cache);
        cache_begin_with(options);
        fill(0, 100);
        for (unsigned i = 0; i < 10; i++) {
                cr_expect_eq(get("n50.test", 0), CACHE_HIT, "round %u", i);
                fill(1000 * i + 1000, 1000 * i + 1200);
        }
        dns_cache_count(cache, &counts);
        cr_expect(counts.octets <= options.octets_max && counts.octets > options.octets_max * 9 / 10);
        cr_expect_eq(counts.entries + counts.evictions, counts.inserts);
        cr_expect_eq(counts.hits, 10);
        cr_expect_eq(get("n51.test", 0), CACHE_MISS);
}

Test(cache, large_answers_and_floods_are_not_kept)
{
        static char data[20000];
        struct dns_record large = {{data, sizeof data}, 0};
        struct dns_answer answer = {.fact = FACT_FOUND, .ttl_s = 60, .record_count = 1, .records = &large};
        struct dns_question question = {.name = SPAN("large.test"), .type = DNS_MX};
        struct dns_cache_options options = dns_cache_defaults();
        struct dns_cache_counts counts;

        options.octets_max = 64 * 1024;
        options.deferred_octets_max = 0;
        dns_cache_destroy(cache);
        cache_begin_with(options);
        dns_cache_put(cache, &question, &answer, 0);
        cr_expect_eq(get("large.test", 0), CACHE_MISS);
        dns_cache_count(cache, &counts);
        cr_expect_eq(counts.skipped, 1);
        urcu_memb_read_lock(); /* no grace period ends */
        for (int i = 0; i < 100; i++)
                put("a.test", FACT_FOUND, 60, 0);
        dns_cache_count(cache, &counts);
        urcu_memb_read_unlock();
        cr_expect_eq(counts.inserts, 2);
        cr_expect_eq(counts.skipped, 99);
        cr_expect_gt(counts.deferred_octets, 0);
}
