/* gatepost-dns-bench [SECONDS]: what the cache and the resolver pool can do on this machine; the upstream is
 * the stub server in the same process, on loopback. One line "NAME VALUE ..." for each figure, which
 * `gatepost-bench suite parts` reads. */
#include "tests/stress/dns/asker.h"

#include "dns/pool/settings.h"
#include "core/check/spf/evaluate.h"
#include "dns/pool/client.h"

#include <pthread.h>
#include <stdio.h>

#define NAMES       100000 /* in the cache */
#define MANY        1000000
#define WINDOW      800 /* questions that an asker has out */
#define READERS_MAX 8

static struct dns_cache *cache;
static struct dns_question questions[NAMES];
static char names[NAMES][40];
static double seconds = 1;

static double seconds_of(clockid_t clock)
{
        struct timespec now;
        clock_gettime(clock, &now);
        return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- hits ---------------------------------------------------------------------------------------------- */

static void cache_fill(void)
{
        struct dns_record record = {{"\177\0\0\2", 4}, 0};
        struct dns_answer answer = {
            .fact = FACT_FOUND, .ttl_s = 86400, .record_count = 1, .records = &record};

        for (unsigned i = 0; i < NAMES; i++) {
                int length =
                    snprintf(names[i], sizeof names[i], "%u.%u.0.192.listed.example", i & 255, i >> 8);
                questions[i] =
                    (struct dns_question){.name = span_of(names[i], (size_t)length), .type = DNS_A};
        }
        double begin_s = seconds_of(CLOCK_MONOTONIC);
        for (unsigned i = 0; i < NAMES; i++)
                dns_cache_put(cache, &questions[i], &answer, clock_ms());
        printf("cache_inserts %.0f /s\n", NAMES / (seconds_of(CLOCK_MONOTONIC) - begin_s));
}

struct reading {
        pthread_t thread;
        unsigned random_state;
        uint64_t hits;
        double cpu_s;
};

static void *reader_run(void *argument)
{
        struct reading *reading = argument;
        double end_s = seconds_of(CLOCK_MONOTONIC) + seconds, begin_s = seconds_of(CLOCK_THREAD_CPUTIME_ID);
        uint64_t now_ms = clock_ms();
        struct block_pool blocks;
        struct arena arena;

        urcu_memb_register_thread();
        block_pool_init(&blocks, 131072, 4);
        while (seconds_of(CLOCK_MONOTONIC) < end_s) {
                arena_init(&arena, &blocks, SIZE_MAX);
                for (unsigned i = 0; i < 1000; i++) {
                        struct dns_answer answer;
                        reading->random_state = reading->random_state * 1664525u + 1013904223u;
                        const struct dns_question *question =
                            &questions[(reading->random_state >> 8) % NAMES];
                        reading->hits +=
                            dns_cache_get(cache, question, now_ms, &arena, &answer) != CACHE_MISS;
                }
                arena_end(&arena);
        }
        reading->cpu_s = seconds_of(CLOCK_THREAD_CPUTIME_ID) - begin_s;
        block_pool_end(&blocks);
        urcu_memb_unregister_thread();
        return NULL;
}

static void measure_hits(unsigned readers)
{
        struct reading readings[READERS_MAX] = {0};
        double cpu_s = 0;
        uint64_t hits = 0;

        for (unsigned i = 0; i < readers; i++) {
                readings[i].random_state = i;
                expect(pthread_create(&readings[i].thread, NULL, reader_run, &readings[i]) == 0);
        }
        for (unsigned i = 0; i < readers; i++) {
                pthread_join(readings[i].thread, NULL);
                hits += readings[i].hits;
                cpu_s += readings[i].cpu_s;
        }
        printf("%s %.0f /s a core, %.0f/s in all by %u threads\n",
               readers == 1 ? "cache_hits" : "cache_hits_2", (double)hits / cpu_s, (double)hits / seconds,
               readers);
        printf("%s %.0f ns each\n", readers == 1 ? "cache_hit" : "cache_hit_2", cpu_s / (double)hits * 1e9);
}

/* ---- bound --------------------------------------------------------------------------------------------- */

static double resident_mib(void)
{
        unsigned long pages = 0, resident = 0;
        FILE *file = fopen("/proc/self/statm", "re");

        expect(file != NULL && fscanf(file, "%lu %lu", &pages, &resident) == 2);
        fclose(file);
        return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1048576;
}

/* Prints what the cache counts for a million answers, and what the process takes for them. */
static void measure_bound(void)
{
        struct dns_record record = {{"\177\0\0\2", 4}, 0};
        struct dns_answer answer = {
            .fact = FACT_FOUND, .ttl_s = 86400, .record_count = 1, .records = &record};
        struct dns_cache_counts counts;
        double before_mib = resident_mib();
        char name[64];

        for (unsigned i = 0; i < MANY; i++) {
                int length = snprintf(name, sizeof name, "%u.%u.%u.127.listed.example", i & 255, i >> 8 & 255,
                                      i >> 16);
                struct dns_question question = {.name = span_of(name, (size_t)length),
                                                .type = i % 2 == 0 ? DNS_A : DNS_TXT};
                dns_cache_put(cache, &question, &answer, clock_ms());
        }
        dns_cache_count(cache, &counts);
        printf("cache_octets %.1f MiB counted, %lu entries, %lu evicted\n", (double)counts.octets / 1048576,
               counts.entries, counts.evictions);
        printf("cache_memory %.1f MiB of the process\n", resident_mib() - before_mib);
}

/* ---- misses -------------------------------------------------------------------------------------------- */

static void ask_for(struct asker *asker, uint64_t *ret_answers, uint64_t *ret_found)
{
        double end_s = seconds_of(CLOCK_MONOTONIC) + seconds;
        unsigned pending = 0;
        uint64_t number = 0;

        while (seconds_of(CLOCK_MONOTONIC) < end_s || pending > 0) {
                const struct dns_reply_message *message;
                struct dns_answer answer;
                char name[64];
                for (; pending < WINDOW && seconds_of(CLOCK_MONOTONIC) < end_s; number++) {
                        snprintf(name, sizeof name, "m%lu.listed.example", number);
                        pending += asker_file(asker, name, DNS_A, number, &answer) == FACT_PENDING;
                }
                if ((message = asker_wait(asker, 10000)) == NULL)
                        break;
                do {
                        *ret_found += message->answer.fact == FACT_FOUND;
                        pending--;
                        ++*ret_answers;
                } while ((message = dns_client_receive(asker->client)) != NULL);
                asker_forget(asker);
        }
}

static void measure_misses(uint32_t threads, uint32_t latency_ms)
{
        struct dns_pool_options options = dns_pool_defaults();
        struct dns_stub *stub = stub_begin(SPAN("*.listed.example 300 A 127.0.0.2\n"), latency_ms);
        struct endpoint endpoint = loopback_endpoint(dns_stub_port(stub));
        uint64_t answers = 0, found = 0;
        struct asker asker;

        options.cache = cache;
        options.upstreams = &endpoint;
        options.upstream_count = options.clients = 1;
        options.threads = threads;
        struct dns_pool *pool = dns_pool_create(&options);
        expect(pool != NULL);
        asker_begin(&asker, pool, 0);
        double begin_s = seconds_of(CLOCK_MONOTONIC), cpu_s = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
        ask_for(&asker, &answers, &found);
        printf("%s %.0f /s, %u pool threads, %u ms, %.1f us CPU each with asker and server, %lu not found\n",
               threads == 2 && latency_ms == 0 ? "dns_misses" : "dns_misses_other",
               (double)answers / (seconds_of(CLOCK_MONOTONIC) - begin_s), threads, latency_ms,
               (seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu_s) / (double)answers * 1e6, answers - found);
        dns_pool_destroy(pool);
        dns_stub_stop(stub);
        asker_end(&asker);
}

/* ---- SPF ----------------------------------------------------------------------------------------------- */

static void spf_put(const char *name, const char *record)
{
        struct dns_question question = {.name = span_from(name), .type = DNS_TXT};
        struct dns_record text = {span_from(record), 0};
        struct dns_answer answer = {.fact = FACT_FOUND, .ttl_s = 86400, .record_count = 1, .records = &text};
        dns_cache_put(cache, &question, &answer, clock_ms());
}

/* Evaluates as a transaction does, with a fresh memo that has its answers from the cache. */
static enum spf_result spf_once(struct asker *asker)
{
        struct spf_request request = {.sender_local = SPAN("sender"),
                                      .sender_domain = SPAN("example.net"),
                                      .helo = SPAN("mail.example.net"),
                                      .receiver = SPAN("mx1.isp.example"),
                                      .now_s = 1700000000};
        struct spf_detail details = {0};
        struct memo memo;

        expect(address_parse(SPAN("192.0.2.7"), &request.client));
        memo_init(&memo, &asker->arena, dns_client_source(asker->client), 1, 100);
        enum spf_result result = spf_evaluate(&request, &memo, &asker->arena, &details);
        asker_forget(asker);
        return result;
}

static void measure_spf(void)
{
        struct dns_pool_options options = dns_pool_defaults();
        struct endpoint nowhere = loopback_endpoint(9);
        struct asker asker;
        uint64_t count = 0;

        options.cache = cache;
        options.upstreams = &nowhere;
        options.upstream_count = options.clients = 1;
        struct dns_pool *pool = dns_pool_create(&options);
        expect(pool != NULL);
        asker_begin(&asker, pool, 0);
        spf_put("example.net", "v=spf1 include:spf.example.net -all");
        spf_put("spf.example.net", "v=spf1 ip4:198.51.100.0/24 ip4:192.0.2.0/28 ?all");
        double begin_s = seconds_of(CLOCK_MONOTONIC), cpu_s = seconds_of(CLOCK_THREAD_CPUTIME_ID);
        while (seconds_of(CLOCK_MONOTONIC) < begin_s + seconds)
                for (unsigned i = 0; i < 100; i++, count++)
                        expect(spf_once(&asker) == SPF_PASS);
        printf("spf_evaluation %.2f us, record and include from the cache\n",
               (seconds_of(CLOCK_THREAD_CPUTIME_ID) - cpu_s) / (double)count * 1e6);
        dns_pool_destroy(pool);
        asker_end(&asker);
}

int main(int argc, char **argv)
{
        struct dns_cache_options options = dns_cache_defaults();

        if (argc > 1)
                seconds = atof(argv[1]);
        expect(seconds > 0 && seconds <= 60);
        urcu_memb_register_thread();
        cache = dns_cache_create(&options);
        expect(cache != NULL);
        measure_bound();
        dns_cache_destroy(cache);
        cache = dns_cache_create(&options);
        cache_fill();
        measure_hits(1);
        measure_hits(2);
        for (uint32_t threads = 1; threads <= 2; threads++) {
                /* The names are those of the round before, so its answers must go. */
                dns_cache_destroy(cache);
                cache = dns_cache_create(&options);
                measure_misses(threads, 0);
        }
        dns_cache_destroy(cache);
        cache = dns_cache_create(&options);
        measure_misses(2, 5);
        measure_spf();
        dns_cache_destroy(cache);
        urcu_memb_unregister_thread();
        return 0;
}
