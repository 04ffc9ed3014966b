/* Rulings as answers of the type TXT: the key stands for the name, and the ruling is the record. */
#include "core/lookup/rulings.h"

#include "dns/cache.h"

#include <assert.h>
#include <stddef.h>

/* Replies may come at a rate at which grace periods do not follow: then some are not kept. */
#define DEFERRED_OCTETS ((size_t)4 << 20)
#define RULING_HEAD     offsetof(struct ruling, text)

static_assert(RULING_TEXT_MAX <= UINT16_MAX, "a length has 16 bits");

static struct dns_cache *cache_of(struct rulings *rulings)
{
        return (struct dns_cache *)rulings;
}

struct rulings *rulings_create(size_t octets_max)
{
        const struct dns_cache_options options = {
            .octets_max = octets_max, .deferred_octets_max = DEFERRED_OCTETS, .ttl_max_s = UINT32_MAX};
        return (struct rulings *)dns_cache_create(&options);
}

void rulings_destroy(struct rulings *rulings)
{
        if (rulings != NULL)
                dns_cache_destroy(cache_of(rulings));
}

static struct dns_question question_of(const struct key128 *key)
{
        return (struct dns_question){.name = key128_span(key), .type = DNS_TXT};
}

bool rulings_find(struct rulings *rulings, const struct key128 *key, uint64_t now_ms, struct block_pool *pool,
                  struct ruling *ret_ruling)
{
        struct dns_question question = question_of(key);
        struct dns_answer answer;
        struct arena arena;

        arena_init(&arena, pool, SIZE_MAX);
        bool is_there = dns_cache_get(cache_of(rulings), &question, now_ms, &arena, &answer) != CACHE_MISS;
        if (is_there)
                memcpy(ret_ruling, answer.records[0].data.at, answer.records[0].data.length);
        arena_end(&arena);
        return is_there;
}

void rulings_put(struct rulings *rulings, const struct key128 *key, const struct ruling *ruling,
                 uint64_t now_ms, uint64_t keep_ms)
{
        struct dns_question question = question_of(key);
        struct dns_record record = {.data = span_of((const char *)ruling, RULING_HEAD + ruling->text_length)};
        struct dns_answer answer = {.fact = FACT_FOUND,
                                    .ttl_s = (uint32_t)((keep_ms + 999) / 1000),
                                    .record_count = 1,
                                    .records = &record};

        if (keep_ms > 0)
                dns_cache_put(cache_of(rulings), &question, &answer, now_ms);
}

uint64_t rulings_count(struct rulings *rulings)
{
        struct dns_cache_counts counts;

        dns_cache_count(cache_of(rulings), &counts);
        return counts.entries;
}
