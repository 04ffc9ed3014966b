/* One authority that does not answer costs those who ask for its names, and nobody else. */
#include "dns_asker.h"
#include "dns/pool/settings.h"
#include "dns/pool/client.h"

#define SLOW        1000
#define QUICK       100
#define IN_FLIGHT   64
#define ATTEMPT_MS  500
#define DEADLINE_MS 4000 /* the slow ones would need 23 seconds to get out of the way */

static const char zone[] = "*.slow.test. 60 A 192.0.2.1\n"
                           "*.slow.test. !silent\n"
                           "*.quick.test. 60 A 192.0.2.2\n";

static void ask_many(struct asker *asker, const char *domain, unsigned count, uint64_t handle)
{
        struct dns_answer answer;
        char name[64];

        for (unsigned i = 0; i < count; i++) {
                snprintf(name, sizeof name, "u%u.%s", i, domain);
                expect(asker_file(asker, name, DNS_A, handle, &answer) == FACT_PENDING);
        }
        dns_client_flush(asker->client);
}

int main(void)
{
        struct dns_cache_options cache_options = dns_cache_defaults();
        struct dns_pool_options options = dns_pool_defaults();
        struct dns_pool_counts counts;
        struct dns_stub *stub = stub_begin(span_from(zone), 0);
        struct endpoint endpoint = loopback_endpoint(dns_stub_port(stub));
        struct asker asker;
        unsigned found = 0, failed = 0;

        urcu_memb_register_thread();
        options.cache = dns_cache_create(&cache_options);
        options.upstreams = &endpoint;
        options.upstream_count = 1;
        options.clients = 1;
        options.threads = 1;
        options.in_flight_max = IN_FLIGHT;
        options.attempt_timeout_ms = ATTEMPT_MS;
        options.deadline_ms = DEADLINE_MS;
        struct dns_pool *pool = dns_pool_create(&options);
        expect(options.cache != NULL && pool != NULL);
        asker_begin(&asker, pool, 0);

        ask_many(&asker, "slow.test", SLOW, 1);
        ask_many(&asker, "quick.test", QUICK, 2);
        for (unsigned i = 0; i < SLOW + QUICK; i++) {
                const struct dns_reply_message *message = asker_wait(&asker, 20000);
                expect(message != NULL);
                expect(message->answer.fact == (message->handle == 2 ? FACT_FOUND : FACT_FAILED));
                found += message->handle == 2;
                failed += message->handle == 1;
        }
        expect(found == QUICK && failed == SLOW);
        dns_pool_count(pool, &counts);
        expect(counts.in_flight == 0 && counts.waiting == 0 && counts.failed == SLOW);

        dns_pool_destroy(pool);
        dns_cache_destroy(options.cache);
        asker_end(&asker);
        dns_stub_stop(stub);
        urcu_memb_unregister_thread();
        return 0;
}
