/* The resolver pool against a hostile upstream: whatever comes, an answer that is none is never believed,
 * nothing crashes, time is bounded, and the next honest answer is taken. */
#include "asker.h"
#include "dns/pool/settings.h"
#include "evil_server.h"
#include "dns/answer.h"
#include "dns/pool/client.h"

#define MUTATIONS   3000
#define ATTEMPT_MS  100
#define DEADLINE_MS 400

static struct dns_pool *pool;

static void expect_honest(struct asker *asker, const char *label, unsigned number)
{
        struct dns_answer answer;
        char name[64];

        pool_set_times(pool, PATIENT_ATTEMPT_MS, PATIENT_DEADLINE_MS);
        snprintf(name, sizeof name, "%s.n%u.test", label, number);
        enum fact fact = asker_ask(asker, name, DNS_A, &answer);
        if (fact != FACT_FOUND)
                fprintf(stderr, "%s: not answered\n", name);
        expect(fact == FACT_FOUND && memcmp(answer.records[0].data.at, "\300\0\2\1", 4) == 0);
}

static void test_behaviours(struct asker *asker)
{
        for (unsigned i = 0; i < evil_behaviour_count; i++) {
                struct dns_answer answer;
                char name[64];

                if (evil_behaviours[i].expected == FACT_PENDING)
                        continue;
                snprintf(name, sizeof name, "%s.test", evil_behaviours[i].label);
                if (evil_behaviours[i].expected == FACT_FOUND)
                        pool_set_times(pool, PATIENT_ATTEMPT_MS, PATIENT_DEADLINE_MS);
                else
                        pool_set_times(pool, ATTEMPT_MS, DEADLINE_MS);
                uint64_t begin_ms = clock_ms();
                enum fact fact = asker_ask(asker, name, DNS_A, &answer);
                uint64_t took_ms = clock_ms() - begin_ms;
                if (fact != evil_behaviours[i].expected || took_ms > DEADLINE_MS + 5000)
                        fprintf(stderr, "%s: %d after %u ms\n", name, fact, (unsigned)took_ms);
                expect(fact == evil_behaviours[i].expected && took_ms <= DEADLINE_MS + 5000);
                expect(fact != FACT_FOUND || answer.records[0].data.at[3] == 1);
                expect(dns_answer_octets(&answer) <= DNS_ANSWER_OCTETS_MAX);
                expect_honest(asker, "good", i);
                expect_honest(asker, "tcgood", i);
        }
}

static void test_mutations(struct asker *asker)
{
        unsigned pending = 0, facts[4] = {0};

        pool_set_times(pool, ATTEMPT_MS, DEADLINE_MS);
        for (unsigned i = 0; i < MUTATIONS || pending > 0;) {
                struct dns_answer answer;
                char name[64];
                for (; i < MUTATIONS && pending < 500; i++) {
                        snprintf(name, sizeof name, "mutate.m%u.test", i);
                        pending += asker_file(asker, name, DNS_A, i, &answer) == FACT_PENDING;
                }
                const struct dns_reply_message *message = asker_wait(asker, 20000);
                expect(message != NULL);
                facts[message->answer.fact]++;
                pending--;
        }
        expect(facts[FACT_FAILED] > 0 && facts[FACT_FOUND] > 0);
}

int main(void)
{
        struct dns_cache_options cache_options = dns_cache_defaults();
        struct dns_pool_options options = dns_pool_defaults();
        struct asker asker;

        urcu_memb_register_thread();
        struct endpoint endpoint = loopback_endpoint(evil_begin());
        options.cache = dns_cache_create(&cache_options);
        options.upstreams = &endpoint;
        options.upstream_count = options.clients = options.threads = 1;
        options.attempt_timeout_ms = ATTEMPT_MS;
        options.deadline_ms = DEADLINE_MS;
        pool = dns_pool_create(&options);
        expect(options.cache != NULL && pool != NULL);
        asker_begin(&asker, pool, 0);
        test_behaviours(&asker);
        test_mutations(&asker);
        expect_honest(&asker, "good", 9999);
        expect_honest(&asker, "tcgood", 9999);
        dns_pool_destroy(pool);
        dns_cache_destroy(options.cache);
        asker_end(&asker);
        evil_end();
        urcu_memb_unregister_thread();
        return 0;
}
