/* The cache under readers and writers at once, small enough that most of what is put in is evicted: every hit
 * is whole and about the right name, the bound holds, and what is removed is freed. */
#include "core/base/expect.h"
#include "dns/cache.h"
#include "dns/pool/settings.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <urcu/urcu-memb.h>

#define NAMES      5000
#define OCTETS_MAX (400ul * 1024)
#define READS      200000
#define WRITES     40000
#define READERS    3
#define WRITERS    2

static struct dns_cache *cache;
static _Atomic uint64_t hits;

/* A name, and records of which each tells the name's number and a generation. */
static struct dns_question question_make(unsigned number, char *buffer, size_t size)
{
        int length = snprintf(buffer, size, "host%u.example", number);
        return (struct dns_question){.name = span_of(buffer, (size_t)length),
                                     .type = number % 2 ? DNS_TXT : DNS_A};
}

static void answer_check(const struct dns_answer *answer, unsigned number)
{
        expect(answer->fact == FACT_FOUND && answer->record_count == number % 4 + 1);
        for (unsigned i = 0; i < answer->record_count; i++) {
                unsigned told;
                expect(answer->records[i].data.length == sizeof told + 8 * (size_t)i);
                memcpy(&told, answer->records[i].data.at, sizeof told);
                expect(told == number && answer->records[i].preference == answer->records[0].preference);
        }
}

static void answer_put(unsigned number, uint16_t generation, uint64_t now_ms)
{
        struct dns_record records[4];
        char name[32], data[sizeof number + 24] = {0};
        struct dns_question question = question_make(number, name, sizeof name);

        memcpy(data, &number, sizeof number);
        for (unsigned i = 0; i < 4; i++)
                records[i] = (struct dns_record){{data, sizeof number + 8 * (size_t)i}, generation};
        struct dns_answer answer = {
            .fact = FACT_FOUND, .ttl_s = 2, .record_count = number % 4 + 1, .records = records};
        dns_cache_put(cache, &question, &answer, now_ms);
}

static unsigned random_of(unsigned *state)
{
        *state = *state * 1664525u + 1013904223u;
        return *state >> 8;
}

static void *reader_run(void *argument)
{
        unsigned state = (unsigned)(uintptr_t)argument;
        struct block_pool blocks;
        uint64_t found = 0;

        urcu_memb_register_thread();
        block_pool_init(&blocks, 4096, 4);
        for (unsigned i = 0; i < READS; i++) {
                unsigned number = random_of(&state) % (i % 2 ? 100 : NAMES);
                char name[32];
                struct dns_question question = question_make(number, name, sizeof name);
                struct dns_answer answer;
                struct arena arena;
                arena_init(&arena, &blocks, SIZE_MAX);
                if (dns_cache_get(cache, &question, i, &arena, &answer) != CACHE_MISS) {
                        answer_check(&answer, number);
                        found++;
                }
                arena_end(&arena);
        }
        block_pool_end(&blocks);
        urcu_memb_unregister_thread();
        atomic_fetch_add(&hits, found);
        return NULL;
}

static void *writer_run(void *argument)
{
        unsigned state = (unsigned)(uintptr_t)argument;

        urcu_memb_register_thread();
        for (unsigned i = 0; i < WRITES; i++) {
                answer_put(random_of(&state) % (i % 2 ? 100 : NAMES), (uint16_t)i,
                           (uint64_t)i * READS / WRITES);
                if (i % 100 == 0) {
                        struct dns_cache_counts counts;
                        dns_cache_count(cache, &counts);
                        expect(counts.octets <= OCTETS_MAX);
                }
        }
        urcu_memb_unregister_thread();
        return NULL;
}

static void test_readers_and_writers(void)
{
        pthread_t threads[READERS + WRITERS];
        struct dns_cache_counts counts;

        for (uintptr_t i = 0; i < READERS + WRITERS; i++)
                expect(pthread_create(&threads[i], NULL, i < READERS ? reader_run : writer_run,
                                      (void *)(i + 1)) == 0);
        for (size_t i = 0; i < READERS + WRITERS; i++)
                pthread_join(threads[i], NULL);
        dns_cache_count(cache, &counts);
        expect(counts.hits == atomic_load(&hits) && counts.hits + counts.misses == (uint64_t)READERS * READS);
        expect(counts.inserts + counts.skipped == (uint64_t)WRITERS * WRITES);
}

/* Readers that ran ahead of all writers may have hit nothing: what is there now is found. */
static void test_hit(void)
{
        struct block_pool blocks;
        struct arena arena;
        struct dns_answer answer;
        char name[32];
        struct dns_question question = question_make(7, name, sizeof name);

        block_pool_init(&blocks, 4096, 0);
        arena_init(&arena, &blocks, SIZE_MAX);
        /* Nothing is put in while too much waits for its grace period. */
        answer_put(7, 0, READS);
        for (int i = 0; dns_cache_get(cache, &question, READS, &arena, &answer) == CACHE_MISS; i++) {
                expect(i < 1000);
                usleep(10000);
                answer_put(7, 0, READS);
        }
        answer_check(&answer, 7);
        arena_end(&arena);
        block_pool_end(&blocks);
}

/* A writer that never pauses is held back by the bound of what waits for its grace period. */
static void test_flood(const struct dns_cache_options *options)
{
        struct dns_cache_counts counts;

        for (unsigned i = 0; i < 100000; i++)
                answer_put(i % NAMES, 0, 0);
        dns_cache_count(cache, &counts);
        expect(counts.evictions > 0);
        expect(counts.deferred_octets <= options->deferred_octets_max + OCTETS_MAX / 8);
}

int main(void)
{
        struct dns_cache_options options = dns_cache_defaults();

        options.octets_max = OCTETS_MAX;
        options.deferred_octets_max = 256ul * 1024;
        urcu_memb_register_thread();
        cache = dns_cache_create(&options);
        expect(cache != NULL);
        test_readers_and_writers();
        test_hit();
        test_flood(&options);
        dns_cache_destroy(cache);
        urcu_memb_unregister_thread();
        return 0;
}
