/* gatepost-rates-bench [SESSIONS]: what the check client_rate costs a session that delivers a mail to one
 * recipient: all calls that the acceptor and the worker make, for few clients and for many. One line for each
 * measurement. */
#include "conf/build/load.h"
#include "core/base/expect.h"
#include "core/smtp/admit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define THREADS_MAX 8
#define NOW_MS      1000000

static struct ledger ledger;
static struct snapshot *snapshot;
static uint64_t sessions = 1000000;

struct run {
        pthread_t thread;
        uint32_t clients, random_state;
        double cpu_s;
        struct counters counters;
};

static double cpu_seconds(void)
{
        struct timespec now;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void session(struct run *run, const struct address *client, uint64_t now_ms)
{
        struct rate_excess excess;
        struct rates rates;

        expect(client_is_rated(snapshot, client));
        client_admit(snapshot, &ledger, &run->counters, client, now_ms, &excess);
        expect(client_is_rated(snapshot, client));
        rates_init(&rates, &ledger, &snapshot->options, client, now_ms);
        rates_has_good_history(&rates);
        rates_take(&rates, RATE_MESSAGES, 1, &excess);
        rates_take(&rates, RATE_RECIPIENTS, 1, &excess);
        rates_give_back(&rates, RATE_UNKNOWN_RECIPIENTS, 1);
        rates_give_back(&rates, RATE_ERRORS, 1);
        rates_note_history(&rates, 1, 0);
}

static void *run_sessions(void *argument)
{
        struct run *run = argument;
        struct address client = {.octets = {[10] = 0xff, [11] = 0xff}};
        double begun_s = cpu_seconds();

        for (uint64_t i = 0; i < sessions; i++) {
                run->random_state = run->random_state * 1664525u + 1013904223u;
                /* Addresses are in about as many networks, which is the worst for the processor's caches. */
                uint32_t number = (uint32_t)((uint64_t)run->random_state * run->clients >> 32) * 2654435761u;
                memcpy(client.octets + 12, &number, sizeof number);
                session(run, &client, NOW_MS + i / 100);
        }
        run->cpu_s = cpu_seconds() - begun_s;
        return NULL;
}

static void measure(unsigned threads, uint32_t clients)
{
        static struct run runs[THREADS_MAX];
        uint64_t displaced = 0;
        double cpu_s = 0;

        for (unsigned i = 0; i < threads; i++) {
                runs[i] = (struct run){.clients = clients, .random_state = i};
                expect(pthread_create(&runs[i].thread, NULL, run_sessions, &runs[i]) == 0);
        }
        for (unsigned i = 0; i < threads; i++) {
                pthread_join(runs[i].thread, NULL);
                cpu_s += runs[i].cpu_s;
                displaced += counter_read(&runs[i].counters.metrics[METRIC_clients_displaced]);
        }
        printf("%7u clients, %u threads: %.0f ns CPU a session, %lu displaced at accept\n", clients, threads,
               cpu_s / (double)(sessions * threads) * 1e9, displaced);
}

int main(int argc, char **argv)
{
        struct conf_complaints complaints = {0};

        if (argc > 1)
                sessions = strtoull(argv[1], NULL, 10);
        snapshot =
            snapshot_load_text("hostname = \"bench.example\" allow_no_domains = yes", "/", &complaints);
        expect(snapshot != NULL && sessions > 0);
        size_t size = snapshot->options.client_rate_memory_octets;
        void *memory = aligned_alloc(4096, size);
        expect(memory != NULL);
        memset(memory, 0, size);
        ledger_init(&ledger, memory, size, 42, NOW_MS);
        static const uint32_t clients[] = {1, 100, 10000, 100000, 1000000};
        for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++)
                for (unsigned threads = 1; threads <= 2; threads++)
                        measure(threads, clients[i]);
        free(memory);
        snapshot_free(snapshot);
        conf_complaints_end(&complaints);
        return 0;
}
