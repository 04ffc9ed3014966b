/* The resolver pool in trouble: dead, silent and exchanged upstreams, stale answers, no descriptors, an end
 * while busy. */
#include "asker.h"
#include "dns/pool/settings.h"
#include "dns/pool/client.h"

#include <sys/resource.h>

static const struct span zone = {"*.wild.test. 300 A 192.0.2.3\n", 29};

static uint64_t ask_timed(struct asker *asker, unsigned number, enum fact expected)
{
        struct dns_answer answer;
        char name[64];
        uint64_t begin_ms = clock_ms();

        snprintf(name, sizeof name, "u%u.wild.test", number);
        expect(asker_ask(asker, name, DNS_A, &answer) == expected);
        return clock_ms() - begin_ms;
}

static void be_patient(struct bench *bench)
{
        pool_set_times(bench->pool, PATIENT_ATTEMPT_MS, PATIENT_DEADLINE_MS);
}

static void be_impatient(struct bench *bench)
{
        pool_set_times(bench->pool, IMPATIENT_ATTEMPT_MS, IMPATIENT_DEADLINE_MS);
}

static uint64_t heard(struct dns_stub *stub)
{
        struct dns_stub_counts counts;

        dns_stub_count(stub, &counts);
        return counts.udp;
}

static uint64_t attempts(struct bench *bench)
{
        struct dns_pool_counts counts;

        dns_pool_count(bench->pool, &counts);
        return counts.attempts;
}

/* Asks until this one has heard thirty questions in a row: it had a pause, the longer the oftener it was probed. */
static void await_use(struct bench *bench, struct dns_stub *stub, unsigned number)
{
        for (unsigned in_a_row = 0, tries = 0; in_a_row < 30; tries++) {
                uint64_t before = heard(stub);
                expect(tries < 1000);
                ask_timed(&bench->asker, number + tries, FACT_FOUND);
                in_a_row = heard(stub) > before ? in_a_row + 1 : 0;
                if (in_a_row == 0)
                        usleep(50000);
        }
}

/* A silent upstream costs its first victims one attempt, then it is avoided, then probed and used again. */
static void test_failover(void)
{
        struct dns_stub *first = stub_begin(zone, 0), *second = stub_begin(zone, 0);
        struct endpoint upstreams[] = {loopback_endpoint(dns_stub_port(first)),
                                       loopback_endpoint(dns_stub_port(second))};
        struct bench bench;

        bench_begin(&bench, dns_cache_defaults(), upstreams, 2, 1);
        pool_set_times(bench.pool, IMPATIENT_ATTEMPT_MS, PATIENT_DEADLINE_MS);
        ask_timed(&bench.asker, 0, FACT_FOUND);
        dns_stub_set_silent(first, true);
        uint64_t before = heard(first), began_ms = clock_ms();
        for (unsigned i = 1; i < 40; i++)
                ask_timed(&bench.asker, i, FACT_FOUND);
        /* Three on each thread, and no more than a probe a second of each. */
        uint64_t victims = heard(first) - before, probes_max = 2 * (1 + (clock_ms() - began_ms) / 1000);
        expect(victims >= 2 && victims <= 6 + probes_max);
        dns_stub_set_silent(first, false);
        await_use(&bench, first, 40);
        bench_end(&bench);
        dns_stub_stop(first);
        dns_stub_stop(second);
}

/* A closed port is noticed at once; the list is exchanged while questions are in flight; stale answers serve
 * in between. */
static void test_exchange(void)
{
        struct dns_stub *first = stub_begin(zone, 0), *second = stub_begin(zone, 0);
        struct endpoint one = loopback_endpoint(dns_stub_port(first)),
                        two = loopback_endpoint(dns_stub_port(second));
        struct dns_answer answer;
        struct bench bench;

        bench_begin(&bench, dns_cache_defaults(), &one, 1, 1);
        be_patient(&bench);
        ask_timed(&bench.asker, 0, FACT_FOUND);
        dns_stub_stop(first);
        expect(ask_timed(&bench.asker, 1, FACT_FAILED) < PATIENT_ATTEMPT_MS);
        pool_set_times(bench.pool, 1000, PATIENT_DEADLINE_MS);
        dns_stub_set_silent(second, true);
        expect(dns_pool_set_upstreams(bench.pool, &two, 1));
        expect(asker_file(&bench.asker, "late.wild.test", DNS_A, 1, &answer) == FACT_PENDING);
        dns_client_flush(bench.asker.client);
        usleep(20000);
        dns_stub_set_silent(second, false);
        const struct dns_reply_message *message = asker_wait(&bench.asker, 20000);
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
        struct dns_stub *stub = stub_begin(zone, 0);
        struct endpoint endpoint = loopback_endpoint(dns_stub_port(stub));
        struct dns_answer answer;
        struct bench bench;
        char name[64];

        bench_begin(&bench, dns_cache_defaults(), &endpoint, 1, 1);
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

/* An answer past its end serves while DNS fails: the first asker waits for the failure, later ones do not. */
static void test_stale(void)
{
        struct dns_cache_options options = dns_cache_defaults();
        struct dns_stub *stub = stub_begin(zone, 0);
        struct endpoint endpoint = loopback_endpoint(dns_stub_port(stub));
        struct dns_answer answer;
        struct bench bench;

        options.ttl_max_s = 1;
        bench_begin(&bench, options, &endpoint, 1, 1);
        be_patient(&bench);
        ask_timed(&bench.asker, 0, FACT_FOUND);
        be_impatient(&bench);
        dns_stub_set_silent(stub, true);
        usleep(1100000);
        expect(ask_timed(&bench.asker, 0, FACT_FOUND) >= 200);
        uint64_t before = attempts(&bench);
        ask_timed(&bench.asker, 0, FACT_FOUND);
        expect(asker_ask(&bench.asker, "u0.wild.test", DNS_A, &answer) == FACT_FOUND && answer.is_stale);
        expect(attempts(&bench) == before);
        ask_timed(&bench.asker, 1, FACT_FAILED);
        be_patient(&bench);
        dns_stub_set_silent(stub, false);
        usleep(1100000);
        before = attempts(&bench);
        ask_timed(&bench.asker, 1, FACT_FOUND);
        expect(attempts(&bench) == before + 1); /* recovery is immediate */
        bench_end(&bench);
        dns_stub_stop(stub);
}

/* A hot answer near its end is asked for in the background; nobody hears of that. */
static void test_refresh(void)
{
        struct dns_cache_options options = dns_cache_defaults();
        struct dns_stub *stub = stub_begin(zone, 0);
        struct endpoint endpoint = loopback_endpoint(dns_stub_port(stub));
        struct bench bench;

        options.ttl_max_s = 5;
        bench_begin(&bench, options, &endpoint, 1, 1);
        be_patient(&bench);
        for (int i = 0; i < 5; i++)
                ask_timed(&bench.asker, 0, FACT_FOUND);
        usleep(4600000);
        ask_timed(&bench.asker, 0, FACT_FOUND);
        for (uint64_t end_ms = clock_ms() + 20000; heard(stub) < 2 && clock_ms() < end_ms;)
                expect(asker_wait(&bench.asker, 10) == NULL);
        expect(asker_wait(&bench.asker, 300) == NULL);
        expect(heard(stub) == 2);
        ask_timed(&bench.asker, 0, FACT_FOUND);
        expect(heard(stub) == 2);
        bench_end(&bench);
        dns_stub_stop(stub);
}

/* Leaves `count` descriptors to open. */
static struct rlimit descriptors_limit(unsigned count)
{
        struct rlimit before, few;

        expect(getrlimit(RLIMIT_NOFILE, &before) == 0);
        int next = dup(0);
        close(next);
        few = (struct rlimit){(rlim_t)next + count, before.rlim_max};
        expect(setrlimit(RLIMIT_NOFILE, &few) == 0);
        return before;
}

static void file_many(struct asker *asker, unsigned count)
{
        for (unsigned i = 0; i < count; i++) {
                struct dns_answer answer;
                char name[64];
                snprintf(name, sizeof name, "d%u.wild.test", i);
                expect(asker_file(asker, name, DNS_A, i, &answer) == FACT_PENDING);
        }
        dns_client_flush(asker->client);
}

/* With few descriptors left every question still comes to an end, and all is well once there are some
 * again. */
static void test_descriptors(void)
{
        struct dns_stub *stub = stub_begin(zone, 20);
        struct endpoint endpoint = loopback_endpoint(dns_stub_port(stub));
        struct bench bench;
        unsigned found = 0;

        bench_begin(&bench, dns_cache_defaults(), &endpoint, 1, 1);
        be_patient(&bench);
        ask_timed(&bench.asker, 0, FACT_FOUND);
        be_impatient(&bench);
        struct rlimit before = descriptors_limit(20);
        file_many(&bench.asker, 500);
        for (unsigned i = 0; i < 500; i++) {
                const struct dns_reply_message *message = asker_wait(&bench.asker, 20000);
                expect(message != NULL);
                found += message->answer.fact == FACT_FOUND;
        }
        expect(found > 0);
        expect(setrlimit(RLIMIT_NOFILE, &before) == 0);
        be_patient(&bench);
        for (unsigned i = 1; i < 20; i++)
                ask_timed(&bench.asker, i, FACT_FOUND);
        bench_end(&bench);
        dns_stub_stop(stub);
}

/* With none left, nothing in flight would ever move what getdns keeps. */
static void test_no_descriptors(void)
{
        struct dns_stub *stub = stub_begin(zone, 0);
        struct endpoint endpoint = loopback_endpoint(dns_stub_port(stub));
        struct bench bench;

        bench_begin(&bench, dns_cache_defaults(), &endpoint, 1, 1);
        be_patient(&bench);
        for (unsigned i = 0; i < 20; i++)
                ask_timed(&bench.asker, i, FACT_FOUND);
        be_impatient(&bench);
        struct rlimit before = descriptors_limit(0);
        file_many(&bench.asker, 10);
        for (unsigned i = 0; i < 10; i++) {
                const struct dns_reply_message *message = asker_wait(&bench.asker, 20000);
                expect(message != NULL && message->answer.fact == FACT_FAILED);
        }
        expect(setrlimit(RLIMIT_NOFILE, &before) == 0);
        be_patient(&bench);
        for (unsigned i = 20; i < 40; i++)
                ask_timed(&bench.asker, i, FACT_FOUND);
        bench_end(&bench);
        dns_stub_stop(stub);
}

/* Ends while questions wait for descriptors and others are in flight. */
static void test_stop_without_descriptors(void)
{
        for (unsigned left = 0; left < 8; left++) {
                struct dns_stub *stub = stub_begin(zone, 150);
                struct endpoint endpoint = loopback_endpoint(dns_stub_port(stub));
                struct bench bench;

                bench_begin(&bench, dns_cache_defaults(), &endpoint, 1, 1);
                be_patient(&bench);
                ask_timed(&bench.asker, 0, FACT_FOUND);
                ask_timed(&bench.asker, 1, FACT_FOUND);
                struct rlimit before = descriptors_limit(left);
                file_many(&bench.asker, 100);
                usleep(50000);
                bench_end(&bench);
                expect(setrlimit(RLIMIT_NOFILE, &before) == 0);
                dns_stub_stop(stub);
        }
}

/* Descriptors beyond what select() could watch. */
static void test_high_descriptors(void)
{
        struct bench bench;
        struct rlimit limit;
        int fds[2000];

        expect(getrlimit(RLIMIT_NOFILE, &limit) == 0);
        limit.rlim_cur = 3000;
        if (limit.rlim_max < 3000 || setrlimit(RLIMIT_NOFILE, &limit) < 0)
                return;
        struct dns_stub *stub = stub_begin(zone, 0);
        struct endpoint endpoint = loopback_endpoint(dns_stub_port(stub));
        for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
                expect((fds[i] = dup(0)) >= 0);
        bench_begin(&bench, dns_cache_defaults(), &endpoint, 1, 1);
        be_patient(&bench);
        for (unsigned i = 0; i < 20; i++)
                ask_timed(&bench.asker, i, FACT_FOUND);
        bench_end(&bench);
        for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
                close(fds[i]);
        dns_stub_stop(stub);
}

int main(void)
{
        urcu_memb_register_thread();
        test_failover();
        test_exchange();
        test_stale();
        test_refresh();
        test_descriptors();
        test_no_descriptors();
        test_stop_without_descriptors();
        test_high_descriptors();
        test_stop();
        urcu_memb_unregister_thread();
        return 0;
}
