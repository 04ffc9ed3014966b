/* The resolver pool against the stub server: every kind of answer, CNAMEs, TCP, joining, loss, many
 * workers. */
#include "asker.h"
#include "dns/pool/settings.h"
#include "dns/pool/client.h"

#include <pthread.h>

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
    "*.late.test. 300 A 192.0.2.6\n*.late.test. !latency 100\n"
    "big.test. 300 TXT " STRING250 STRING250 STRING250 STRING250 STRING250 STRING250 STRING250 "\n"
    "tc.test. 300 A 192.0.2.4\ntc.test. !tc\n"
    "bad.test. 300 A 192.0.2.5\nbad.test. !rcode 2\n"
    "refused.test. 300 A 192.0.2.5\nrefused.test. !rcode 5\n"
    "slow.test. 300 A 192.0.2.6\nslow.test. !latency 150\n"
    "silent.test. 300 A 192.0.2.7\nsilent.test. !silent\n"
    "*.lossy.test. 300 A 192.0.2.8\n*.lossy.test. !loss 30\n";

/* ---- kinds of answers ---------------------------------------------------------------------------------- */

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

/* ---- sizes --------------------------------------------------------------------------------------------- */

static void put_addresses(struct text *lines, const char *name, unsigned count)
{
        for (unsigned i = 0; i < count; i++)
                text_printf(lines, "%s. 300 A 198.51.%u.%u\n", name, i >> 8, i & 255);
}

static void put_texts(struct text *lines, const char *name, unsigned count)
{
        text_printf(lines, "%s. 300 TXT", name);
        for (unsigned i = 0; i < count; i++)
                text_put_string(lines, " " STRING250);
        text_put_string(lines, "\n");
}

/* All records or none: a part of them would pass for the whole. */
static const struct {
        const char *name;
        enum dns_type type;
        enum fact fact;
        uint16_t record_count;
        bool is_too_large;
} sizes[] = {
    {"a150.test", DNS_A, FACT_FOUND, 150, false},   {"a500.test", DNS_A, FACT_FOUND, 500, false},
    {"a3000.test", DNS_A, FACT_FAILED, 0, true},    {"long.test", DNS_TXT, FACT_FOUND, 1, false},
    {"longer.test", DNS_TXT, FACT_FAILED, 0, true}, {"bad.test", DNS_TXT, FACT_FAILED, 0, false},
};

static void put_sizes(struct text *lines)
{
        put_addresses(lines, "a150.test", 150);
        put_addresses(lines, "a500.test", 500);
        put_addresses(lines, "a3000.test", 3000);
        put_texts(lines, "long.test", 60);
        put_texts(lines, "longer.test", 240); /* 60 kB */
}

static void test_sizes(struct bench *bench)
{
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
                struct dns_answer answer;
                asker_ask(&bench->asker, sizes[i].name, sizes[i].type, &answer);
                if (answer.fact != sizes[i].fact || answer.record_count != sizes[i].record_count)
                        fprintf(stderr, "%s: fact %d, %u records\n", sizes[i].name, (int)answer.fact,
                                answer.record_count);
                expect(answer.fact == sizes[i].fact && answer.record_count == sizes[i].record_count);
                expect(answer.is_too_large == sizes[i].is_too_large);
                asker_forget(&bench->asker);
        }
}

/* ---- many ---------------------------------------------------------------------------------------------- */

static void test_joining(struct bench *bench, struct dns_stub *stub)
{
        struct dns_stub_counts before, after;
        struct dns_answer answer;
        bool is_waiting[500];

        dns_stub_count(stub, &before);
        for (uint64_t i = 0; i < 500; i++)
                is_waiting[i] =
                    asker_file(&bench->asker, "joined.late.test", DNS_A, i, &answer) == FACT_PENDING;
        for (int i = 0; i < 500; i++) {
                if (!is_waiting[i])
                        continue;
                const struct dns_reply_message *message = asker_wait(&bench->asker, 20000);
                expect(message != NULL && message->answer.fact == FACT_FOUND && message->handle < 500);
        }
        expect(dns_client_receive(bench->asker.client) == NULL);
        dns_stub_count(stub, &after);
        expect(after.udp - before.udp <= 2); /* two on a machine so slow that the first timed out */
}

/* More than fit in flight, with losses: each is answered once, and counts on who asked it until then. */
static void test_flood(struct bench *bench)
{
        const struct dns_account account = {.client = UINT64_C(0x100000002),
                                            .network = UINT64_C(0x300000004)};
        unsigned answered = 0, found = 0, refused = 0;
        struct dns_answer answer;
        char name[64];

        bench->asker.account = account;
        for (unsigned i = 0; i < 4000; i++) {
                snprintf(name, sizeof name, "n%u.%s.test", i, i % 8 == 0 ? "lossy" : "wild");
                if (asker_file(&bench->asker, name, DNS_A, i, &answer) == FACT_PENDING)
                        answered++;
                else
                        refused++;
        }
        for (unsigned i = 0; i < answered; i++) {
                expect(sketch_count(&bench->questions, account.client) == answered - i);
                expect(sketch_count(&bench->questions, account.network) == answered - i);
                const struct dns_reply_message *message = asker_wait(&bench->asker, 20000);
                expect(message != NULL);
                found += message->answer.fact == FACT_FOUND;
        }
        expect(dns_client_receive(bench->asker.client) == NULL);
        expect(sketch_count(&bench->questions, account.client) == 0);
        bench->asker.account = (struct dns_account){0};
        /* Nearly all of them, were it not for machines so slow that deadlines pass. */
        expect(refused == 0 && found > answered / 2);
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
                        const struct dns_reply_message *message = asker_wait(asker, 20000);
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

int main(void)
{
        static char zone_octets[400000];
        struct asker askers[WORKERS];
        struct bench bench;
        struct text whole;

        urcu_memb_register_thread();
        text_over(&whole, zone_octets, sizeof zone_octets);
        text_put(&whole, SPAN(zone));
        put_sizes(&whole);
        expect(!whole.overflowed);
        struct dns_stub *stub = stub_begin(text_span(&whole), 0);
        struct endpoint endpoint = loopback_endpoint(dns_stub_port(stub));
        bench_begin(&bench, dns_cache_defaults(), &endpoint, 1, 1 + WORKERS);
        pool_set_times(bench.pool, 1000, PATIENT_DEADLINE_MS);
        for (uint32_t i = 0; i < WORKERS; i++)
                asker_begin(&askers[i], bench.pool, 1 + i);
        test_kinds(&bench);
        test_sizes(&bench);
        test_joining(&bench, stub);
        test_flood(&bench);
        test_workers(askers);
        bench_end(&bench);
        for (uint32_t i = 0; i < WORKERS; i++)
                asker_end(&askers[i]);
        dns_stub_stop(stub);
        urcu_memb_unregister_thread();
        return 0;
}
