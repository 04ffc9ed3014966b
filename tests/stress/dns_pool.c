/* The resolver pool against the stub server: every kind of answer, CNAMEs, TCP, joining, loss, dead and
 * exchanged upstreams. */
#include "dns_asker.h"

#include "dns/stub.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

#define WORKERS 3
#define STRING250                                                                                            \
        "\"012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345" \
        "6789"                                                                                               \
        "01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567" \
        "8901234567890\" "

static const char zone[] =
    "test. 300 SOA ns.test. admin.test. 1 2 3 4 60\n"
    "a.test. 300 A 192.0.2.1\n"
    "a.test. 200 A 192.0.2.2\n"
    "a.test. 300 AAAA 2001:db8::1\n"
    "a.test. 300 TXT \"v=spf1 \" \"-all\" ; two strings\n"
    "a.test. 300 MX 20 MX2.test.\n"
    "a.test. 300 MX 10 mx1.test.\n"
    "null.test. 300 MX 0 .\n"
    "odd.test. 300 TXT \"\\001\\255\\\"\\\\;\"\n"
    "1.2.0.192.in-addr.arpa. 300 PTR Host.Test.\n"
    "alias.test. 100 CNAME alias2.test.\n"
    "alias2.test. 300 CNAME a.test.\n"
    "dangling.test. 300 CNAME none.test.\n"
    "empty.test. 300 CNAME a.test.\n"
    "loop.test. 300 CNAME loop.test.\n"
    "alone.test. 50 CNAME a.test.\nalone.test. !nochase\n"
    "l1.test. 50 CNAME l2.test.\nl1.test. !nochase\n"
    "l2.test. 50 CNAME l1.test.\nl2.test. !nochase\n"
    "*.wild.test. 300 A 192.0.2.3\n"
    "big.test. 300 TXT " STRING250 STRING250 STRING250 STRING250 STRING250 STRING250 STRING250 "\n"
    "tc.test. 300 A 192.0.2.4\ntc.test. !tc\n"
    "bad.test. 300 A 192.0.2.5\nbad.test. !rcode 2\n"
    "refused.test. 300 A 192.0.2.5\nrefused.test. !rcode 5\n"
    "slow.test. 300 A 192.0.2.6\nslow.test. !latency 150\n"
    "silent.test. 300 A 192.0.2.7\nsilent.test. !silent\n"
    "*.lossy.test. 300 A 192.0.2.8\n*.lossy.test. !loss 30\n";

static struct dns_stub *stub_begin(void)
{
        struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        struct dns_stub_options options = {.zone = SPAN(zone), .listen_length = sizeof loopback};
        char reason[256];
        struct text error;

        memcpy(&options.listen, &loopback, sizeof loopback);
        text_over(&error, reason, sizeof reason);
        struct dns_stub *stub = dns_stub_start(&options, &error);
        if (stub == NULL)
                fprintf(stderr, "%.*s\n", (int)error.length, reason);
        expect(stub != NULL);
        return stub;
}

static struct endpoint endpoint_of(const struct dns_stub *stub)
{
        struct endpoint endpoint = {.port = dns_stub_port(stub)};
        expect(address_parse(SPAN("127.0.0.1"), &endpoint.address));
        return endpoint;
}

struct bench {
        struct dns_cache *cache;
        struct dns_pool *pool;
        struct asker asker;
};

static void bench_begin(struct bench *bench, const struct endpoint *upstreams, size_t count, uint32_t clients)
{
        struct dns_pool_options options = dns_pool_defaults;

        bench->cache = dns_cache_create(&dns_cache_defaults);
        options.cache = bench->cache;
        options.upstreams = upstreams;
        options.upstream_count = count;
        options.clients = clients;
        options.attempt_timeout_ms = 200;
        options.deadline_ms = 2000;
        bench->pool = dns_pool_create(&options);
        expect(bench->cache != NULL && bench->pool != NULL);
        asker_begin(&bench->asker, bench->pool, 0);
}

static void bench_end(struct bench *bench)
{
        dns_pool_destroy(bench->pool);
        dns_cache_destroy(bench->cache);
        asker_end(&bench->asker);
}

/* ---- kinds of answers -------------------------------------------------------------------------------- */

/* As "TYPE rcode ttl: data, data"; addresses as text, MX with preference. */
static void describe(const struct dns_answer *answer, enum dns_type type, struct text *text)
{
        static const char *const facts[] = {"found", "absent", "failed"};
        text_printf(text, "%s %u %u:", facts[answer->fact], answer->rcode, answer->ttl_s);
        for (size_t i = 0; i < answer->record_count; i++) {
                struct span data = answer->records[i].data;
                char shown[INET6_ADDRSTRLEN];
                text_put_string(text, " ");
                if (type == DNS_MX)
                        text_printf(text, "%u ", answer->records[i].preference);
                if (type == DNS_A || type == DNS_AAAA)
                        text_put_string(text, inet_ntop(type == DNS_A ? AF_INET : AF_INET6, data.at, shown,
                                                        sizeof shown));
                else if (data.length > 60)
                        text_printf(text, "(%zu)", data.length);
                else
                        text_put(text, data);
        }
}

static const struct {
        const char *name;
        enum dns_type type;
        const char *expected;
} cases[] = {
    {"a.test", DNS_A, "found 0 200: 192.0.2.1 192.0.2.2"},
    {"a.test", DNS_AAAA, "found 0 300: 2001:db8::1"},
    {"a.test", DNS_TXT, "found 0 300: v=spf1 -all"},
    {"a.test", DNS_MX, "found 0 300: 20 mx2.test 10 mx1.test"},
    {"null.test", DNS_MX, "found 0 300: 0 "},
    {"odd.test", DNS_TXT, "found 0 300: \001\377\"\\;"},
    {"1.2.0.192.in-addr.arpa", DNS_PTR, "found 0 300: host.test"},
    {"a.test", DNS_PTR, "absent 0 60:"},
    {"none.test", DNS_A, "absent 3 60:"},
    {"nowhere", DNS_A, "absent 3 0:"},
    {"wild.test", DNS_A, "absent 0 60:"},
    {"x.wild.test", DNS_A, "found 0 300: 192.0.2.3"},
    {"x.y.wild.test", DNS_A, "found 0 300: 192.0.2.3"},
    {"alias.test", DNS_A, "found 0 100: 192.0.2.1 192.0.2.2"},
    {"alias.test", DNS_CNAME, "found 0 100: alias2.test"},
    {"dangling.test", DNS_A, "absent 3 60:"},
    {"empty.test", DNS_NS, "absent 0 60:"},
    {"loop.test", DNS_A, "failed 0 0:"},
    {"alone.test", DNS_A, "found 0 50: 192.0.2.1 192.0.2.2"},
    {"l1.test", DNS_A, "failed 0 0:"},
    {"big.test", DNS_TXT, "found 0 300: (1477)"},
    {"tc.test", DNS_A, "found 0 300: 192.0.2.4"},
    {"bad.test", DNS_A, "failed 2 0:"},
    {"refused.test", DNS_A, "failed 5 0:"},
    {"slow.test", DNS_A, "found 0 300: 192.0.2.6"},
    {"silent.test", DNS_A, "failed 0 0:"},
    {"test", DNS_SOA, "found 0 300: ns.test"},
};

static void test_kinds(struct bench *bench)
{
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                struct dns_answer answer;
                char buffer[512];
                struct text text;

                asker_ask(&bench->asker, cases[i].name, cases[i].type, &answer);
                text_over(&text, buffer, sizeof buffer);
                describe(&answer, cases[i].type, &text);
                if (!span_equals(text_span(&text), span_from(cases[i].expected)))
                        fprintf(stderr, "%s %s: %.*s, expected %s\n", cases[i].name,
                                dns_type_name(cases[i].type), (int)text.length, text.at, cases[i].expected);
                expect(span_equals(text_span(&text), span_from(cases[i].expected)));
                expect(!answer.is_cached);
                /* Now the cache has it; failures that took long may have ended. */
                expect(asker_ask(&bench->asker, cases[i].name, cases[i].type, &answer) == answer.fact);
                expect(answer.is_cached || answer.fact == FACT_FAILED);
                asker_forget(&bench->asker);
        }
}

/* ---- many -------------------------------------------------------------------------------------------- */

static void test_joining(struct bench *bench, struct dns_stub *stub)
{
        struct dns_stub_counts before, after;
        struct dns_answer answer;

        dns_stub_count(stub, &before);
        for (uint64_t i = 0; i < 500; i++)
                expect(asker_file(&bench->asker, "joined.wild.test", DNS_A, i, &answer) == FACT_PENDING);
        bool seen[500] = {false};
        for (int i = 0; i < 500; i++) {
                const struct dns_reply_message *message = asker_wait(&bench->asker, 5000);
                expect(message != NULL && message->answer.fact == FACT_FOUND && !seen[message->handle]);
                seen[message->handle] = true;
        }
        dns_stub_count(stub, &after);
        expect(after.udp - before.udp <= 2); /* two when the first was answered while we filed */
}

/* More than fit in flight, with losses: each is answered once. */
static void test_flood(struct bench *bench)
{
        unsigned answered = 0, found = 0, refused = 0;
        struct dns_answer answer;
        char name[64];

        for (unsigned i = 0; i < 4000; i++) {
                snprintf(name, sizeof name, "n%u.%s.test", i, i % 8 == 0 ? "lossy" : "wild");
                if (asker_file(&bench->asker, name, DNS_A, i, &answer) == FACT_PENDING)
                        answered++;
                else
                        refused++;
        }
        for (unsigned i = 0; i < answered; i++) {
                const struct dns_reply_message *message = asker_wait(&bench->asker, 10000);
                expect(message != NULL);
                found += message->answer.fact == FACT_FOUND;
        }
        expect(dns_client_receive(bench->asker.client) == NULL);
        expect(refused == 0 && found > answered * 95 / 100);
}

static void *worker_run(void *argument)
{
        struct asker *asker = argument;
        struct dns_answer answer;
        char name[64];

        urcu_memb_register_thread();
        for (unsigned round = 0; round < 40; round++) {
                unsigned pending = 0;
                for (unsigned i = 0; i < 50; i++) {
                        snprintf(name, sizeof name, "w%u.wild.test", round * 37 + i);
                        pending += asker_file(asker, name, DNS_A, i, &answer) == FACT_PENDING;
                }
                for (; pending > 0; pending--) {
                        const struct dns_reply_message *message = asker_wait(asker, 10000);
                        expect(message != NULL && message->answer.fact == FACT_FOUND);
                        expect(memcmp(message->answer.records[0].data.at, "\300\000\002\003", 4) == 0);
                }
                asker_forget(asker);
        }
        urcu_memb_unregister_thread();
        return NULL;
}

static void test_workers(struct asker askers[static WORKERS])
{
        pthread_t threads[WORKERS];

        for (uint32_t i = 0; i < WORKERS; i++)
                expect(pthread_create(&threads[i], NULL, worker_run, &askers[i]) == 0);
        for (uint32_t i = 0; i < WORKERS; i++)
                pthread_join(threads[i], NULL);
}

/* ---- upstreams --------------------------------------------------------------------------------------- */

static uint64_t ask_timed(struct asker *asker, unsigned number, enum fact expected)
{
        struct dns_answer answer;
        char name[64];
        uint64_t begin_ms = clock_ms();

        snprintf(name, sizeof name, "u%u.wild.test", number);
        expect(asker_ask(asker, name, DNS_A, &answer) == expected);
        return clock_ms() - begin_ms;
}

/* A silent upstream costs its first victims one attempt, then it is avoided, then probed and used again. */
static void test_failover(void)
{
        struct dns_stub *first = stub_begin(), *second = stub_begin();
        struct endpoint upstreams[] = {endpoint_of(first), endpoint_of(second)};
        struct dns_stub_counts before, after;
        struct bench bench;
        unsigned slow = 0;

        bench_begin(&bench, upstreams, 2, 1);
        ask_timed(&bench.asker, 0, FACT_FOUND);
        dns_stub_set_silent(first, true);
        for (unsigned i = 1; i < 40; i++)
                slow += ask_timed(&bench.asker, i, FACT_FOUND) >= 200;
        expect(slow >= 2 && slow <= 8); /* three on each thread, and a probe perhaps */
        dns_stub_set_silent(first, false);
        usleep(2500000);
        dns_stub_count(first, &before);
        for (unsigned i = 40; i < 80; i++)
                ask_timed(&bench.asker, i, FACT_FOUND);
        dns_stub_count(first, &after);
        expect(after.udp - before.udp > 30);
        bench_end(&bench);
        dns_stub_stop(first);
        dns_stub_stop(second);
}

/* A closed port is noticed at once; the list is exchanged while questions are in flight; stale answers serve
 * in between. */
static void test_exchange(void)
{
        struct dns_stub *first = stub_begin(), *second = stub_begin();
        struct endpoint one = endpoint_of(first), two = endpoint_of(second);
        struct dns_answer answer;
        struct bench bench;

        bench_begin(&bench, &one, 1, 1);
        ask_timed(&bench.asker, 0, FACT_FOUND);
        dns_stub_stop(first);
        expect(ask_timed(&bench.asker, 1, FACT_FAILED) < 150);
        dns_stub_set_silent(second, true);
        expect(dns_pool_set_upstreams(bench.pool, &two, 1));
        expect(asker_file(&bench.asker, "late.wild.test", DNS_A, 1, &answer) == FACT_PENDING);
        dns_client_flush(bench.asker.client);
        usleep(20000);
        dns_stub_set_silent(second, false);
        const struct dns_reply_message *message = asker_wait(&bench.asker, 5000);
        expect(message != NULL && message->answer.fact == FACT_FOUND);
        ask_timed(&bench.asker, 2, FACT_FOUND);
        expect(dns_pool_set_upstreams(bench.pool, NULL, 0));
        ask_timed(&bench.asker, 3, FACT_FAILED);
        bench_end(&bench);
        dns_stub_stop(second);
}

/* Destroyed with questions in flight and waiting. */
static void test_stop(void)
{
        struct dns_stub *stub = stub_begin();
        struct endpoint endpoint = endpoint_of(stub);
        struct dns_answer answer;
        struct bench bench;
        char name[64];

        bench_begin(&bench, &endpoint, 1, 1);
        dns_stub_set_silent(stub, true);
        for (unsigned i = 0; i < 3000; i++) {
                snprintf(name, sizeof name, "s%u.wild.test", i);
                asker_file(&bench.asker, name, DNS_A, i, &answer);
        }
        dns_client_flush(bench.asker.client);
        usleep(100000);
        bench_end(&bench);
        dns_stub_stop(stub);
}

int main(void)
{
        struct asker askers[WORKERS];
        struct bench bench;

        urcu_memb_register_thread();
        struct dns_stub *stub = stub_begin();
        struct endpoint endpoint = endpoint_of(stub);
        bench_begin(&bench, &endpoint, 1, 1 + WORKERS);
        for (uint32_t i = 0; i < WORKERS; i++)
                asker_begin(&askers[i], bench.pool, 1 + i);
        test_kinds(&bench);
        test_joining(&bench, stub);
        test_flood(&bench);
        test_workers(askers);
        bench_end(&bench);
        for (uint32_t i = 0; i < WORKERS; i++)
                asker_end(&askers[i]);
        dns_stub_stop(stub);
        test_failover();
        test_exchange();
        test_stop();
        urcu_memb_unregister_thread();
        return 0;
}
