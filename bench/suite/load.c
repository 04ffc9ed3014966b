/* Cases about load: reloads, idle connections, many sessions, more workers. */
#include "bench/suite/internal.h"

#include "bench/common.h"
#include "bench/load/idle.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define RECIPIENTS       1000000
#define RELOAD_CLIENTS   50
#define RELOAD_AFTER_NS  1200000000 /* the start-up and half a second */
#define RELOAD_SECONDS   2
#define RELOAD_TRIES     1500
#define TRY_NS           20000000
#define IDLE_CONNECTIONS 50000
#define IDLE_CLIENTS     50
#define ARRIVALS         3000 /* a second */
#define ARRIVALS_OPEN    4000 /* at most */
/* A server keeps so many descriptors for DNS, messages and active clients. */
#define IDLE_SPARE 3500

static void sleep_ns(long ns)
{
        nanosleep(&(struct timespec){ns / 1000000000, ns % 1000000000}, NULL);
}

/* ---- reload -------------------------------------------------------------------------------------------- */

static unsigned reloads_of(const struct server *server)
{
        char path[300], line[512];
        unsigned count = 0;

        snprintf(path, sizeof path, "%s/output", server->folder);
        FILE *output = fopen(path, "re");
        while (output != NULL && fgets(line, sizeof line, output) != NULL)
                count += strstr(line, "configuration reloaded") != NULL;
        if (output != NULL)
                fclose(output);
        return count;
}

/* Has the server reload, and returns how many seconds that took. */
static double reload(const struct server *server)
{
        unsigned before = reloads_of(server);
        uint64_t begin_ns = bench_now_ns();

        kill(server->watched.pid, SIGHUP);
        for (unsigned i = 0; i < RELOAD_TRIES; i++) {
                sleep_ns(TRY_NS);
                if (reloads_of(server) > before)
                        return (double)(bench_now_ns() - begin_ns) / 1e9;
        }
        bench_fail("the server does not reload");
}

static void add_recipients(const struct server *server, unsigned count)
{
        char path[300];

        snprintf(path, sizeof path, "%s/recipients", server->folder);
        FILE *file = fopen(path, "ae");
        expect(file != NULL);
        for (unsigned i = 0; i < count; i++)
                fprintf(file, "user%06u\n", i);
        expect(fclose(file) == 0);
}

struct reloader {
        const struct server *server;
        double seconds;
};

static void *reloader_main(void *argument)
{
        struct reloader *reloader = argument;

        sleep_ns(RELOAD_AFTER_NS);
        reloader->seconds = reload(reloader->server);
        return NULL;
}

/* The time of which `share` of all replies stayed below. */
static double longest_ms(const struct trial *trial, double share)
{
        const struct scenario *scenario = &trial->workload->scenarios[0];
        struct histogram all = {0};

        for (unsigned i = 0; i < scenario->step_count; i++)
                histogram_merge(&all, &trial->load->steps[0][i]);
        return histogram_quantile_us(&all, share) / 1000;
}

/* Applies the same load once without and once with a reload in its midst. */
void suite_reload(struct suite *suite)
{
        struct bench_options options = *suite->options;
        struct server *server = server_start(&options, PEER_gatepost, false);
        double longest[ROUNDS_MAX], p99_9[ROUNDS_MAX], took[ROUNDS_MAX];
        uint64_t failures = suite->failures;

        options.seconds = RELOAD_SECONDS;
        add_recipients(server, RECIPIENTS / suite->divisor);
        printf("#   the first reload takes %.2f s\n", reload(server));
        for (unsigned round = 0; round < options.rounds; round++) {
                struct reloader reloader = {.server = server};
                pthread_t thread;
                struct trial without =
                    suite_trial(suite, &options, server, "refused-recipient", RELOAD_CLIENTS);
                expect(pthread_create(&thread, NULL, reloader_main, &reloader) == 0);
                struct trial with = suite_trial(suite, &options, server, "refused-recipient", RELOAD_CLIENTS);
                pthread_join(thread, NULL);
                took[round] = reloader.seconds;
                longest[round] = longest_ms(&with, 1) - longest_ms(&without, 1);
                p99_9[round] = longest_ms(&with, 0.999) - longest_ms(&without, 0.999);
                printf(
                    "#   longest reply %.1f ms without, %.1f with a reload of %.2f s; p99.9 %.1f and %.1f; "
                    "%.0f and %.0f sessions/s\n",
                    longest_ms(&without, 1), longest_ms(&with, 1), took[round], longest_ms(&without, 0.999),
                    longest_ms(&with, 0.999), without.sessions_per_s, with.sessions_per_s);
                fflush(stdout);
                trial_free(&without);
                trial_free(&with);
        }
        server_stop(server);
        suite_set_rounds(suite, MEASURED_reload_longest, longest, options.rounds,
                         "longest reply, with and without a reload of %.2f s",
                         median_of(took, options.rounds));
        suite_set_rounds(suite, MEASURED_reload_p99_9, p99_9, options.rounds, "p99.9 of replies");
        suite_set(suite, MEASURED_reload_failed, (double)(suite->failures - failures), "%s", "");
}

/* ---- idle ---------------------------------------------------------------------------------------------- */

static unsigned idle_possible(void)
{
        struct rlimit limit;

        getrlimit(RLIMIT_NOFILE, &limit);
        if (limit.rlim_max < IDLE_CONNECTIONS + IDLE_SPARE) {
                struct rlimit more = {IDLE_CONNECTIONS + IDLE_SPARE, IDLE_CONNECTIONS + IDLE_SPARE};
                if (setrlimit(RLIMIT_NOFILE, &more) != 0)
                        return (unsigned)limit.rlim_max - IDLE_SPARE;
        }
        return IDLE_CONNECTIONS;
}

void suite_idle(struct suite *suite)
{
        unsigned count = idle_possible() / suite->divisor;
        struct server *server = server_start(suite->options, PEER_gatepost, false);
        struct trial before = suite_trial(suite, suite->options, server, "accepted-4k", IDLE_CLIENTS);
        uint64_t kernel = kernel_memory();
        struct idle idle = idle_open(&server->address, &server->watched, count);
        uint64_t kernel_then = kernel_memory();
        struct trial trial = suite_trial(suite, suite->options, server, "accepted-4k", IDLE_CLIENTS);
        unsigned lost = idle_close(&idle);
        server_stop(server);
        suite_set(suite, MEASURED_idle_held, idle.open - lost, "%u opened%s", idle.open,
                  count < IDLE_CONNECTIONS / suite->divisor
                      ? ": this machine's limit of descriptors allows no more"
                      : "");
        suite_set(suite, MEASURED_idle_octets, idle.octets, "%s", "");
        suite_set(suite, MEASURED_idle_kernel,
                  kernel_then > kernel ? (double)(kernel_then - kernel) / 2 / count : 0,
                  "the machine's, both ends are on it");
        suite_set(suite, MEASURED_idle_flow, trial.cpu_us / before.cpu_us,
                  "%.1f us, %.1f before; %.0f sessions/s, %.0f before", trial.cpu_us, before.cpu_us,
                  trial.sessions_per_s, before.sessions_per_s);
        trial_free(&before);
        trial_free(&trial);
}

/* ---- growth -------------------------------------------------------------------------------------------- */

void suite_growth(struct suite *suite)
{
        static const unsigned counts[] = {10, 100, 1000, 10000};
        enum { COUNTS = sizeof counts / sizeof counts[0] };
        static const enum peer_kind kinds[2] = {PEER_gatepost, PEER_floor};
        double cpus[2][COUNTS][ROUNDS_MAX], growths[2][ROUNDS_MAX], ratios[ROUNDS_MAX];
        const struct bench_options *options = suite->options;
        struct server *servers[2];

        for (unsigned i = 0; i < 2; i++)
                servers[i] = server_start(options, kinds[i], false);
        for (unsigned round = 0; round < options->rounds; round++)
                for (unsigned i = 0; i < 2 * COUNTS; i++) {
                        unsigned open = counts[i / 2] / suite->divisor;
                        struct trial trial = suite_trial(suite, options, servers[i % 2], "refused-recipient",
                                                         open == 0 ? 1 : open);
                        cpus[i % 2][i / 2][round] = trial.cpu_us;
                        trial_free(&trial);
                }
        for (unsigned i = 0; i < 2; i++)
                server_stop(servers[i]);
        for (unsigned i = 0; i < 2 * COUNTS; i++) {
                printf("#   %u open, %s: %.1f us\n", counts[i / 2], peer_name(kinds[i % 2]),
                       median_of(cpus[i % 2][i / 2], options->rounds));
        }
        for (unsigned round = 0; round < options->rounds; round++) {
                for (unsigned i = 0; i < 2; i++)
                        growths[i][round] = cpus[i][COUNTS - 1][round] / cpus[i][0][round];
                ratios[round] = growths[0][round] / growths[1][round];
        }
        suite_set_rounds(suite, MEASURED_growth, growths[0], options->rounds,
                         "10 000 against 10 open; the floor's: %.2f", median_of(growths[1], options->rounds));
        suite_set_rounds(suite, MEASURED_growth_to_floor, ratios, options->rounds, "%s", "");
}

/* ---- workers ------------------------------------------------------------------------------------------- */

void suite_workers(struct suite *suite)
{
        double cpus[2][ROUNDS_MAX], waits[2][ROUNDS_MAX], rates[2][ROUNDS_MAX], switches[2][ROUNDS_MAX];
        const struct bench_options *options = suite->options;
        struct server *servers[2];

        for (unsigned i = 0; i < 2; i++) {
                struct bench_options with = *options;
                with.workers = i + 1;
                servers[i] = server_start(&with, PEER_gatepost, false);
        }
        for (unsigned round = 0; round < options->rounds; round++)
                for (unsigned i = 0; i < 2; i++) {
                        struct trial trial = suite_trial(suite, options, servers[(i + round) % 2],
                                                         "refused-recipient", options->concurrencies[0]);
                        unsigned which = (i + round) % 2;
                        cpus[which][round] = trial.cpu_us;
                        waits[which][round] = trial.runnable_us;
                        rates[which][round] = trial.sessions_per_s;
                        switches[which][round] = trial.voluntary;
                        trial_free(&trial);
                }
        double capacities[ROUNDS_MAX], ratios[ROUNDS_MAX];
        for (unsigned i = 0; i < 2; i++) {
                server_stop(servers[i]);
                printf("#   %u workers: %.0f sessions/s, CPU %.1f us a session, %.1f us runnable without a "
                       "core, %.2f sleeps\n",
                       i + 1, median_of(rates[i], options->rounds), median_of(cpus[i], options->rounds),
                       median_of(waits[i], options->rounds), median_of(switches[i], options->rounds));
        }
        for (unsigned round = 0; round < options->rounds; round++) {
                capacities[round] = 2 * cpus[0][round] / cpus[1][round];
                ratios[round] = rates[1][round] / rates[0][round];
        }
        unsigned round = round_of_median(capacities, options->rounds);
        suite_set_rounds(suite, MEASURED_workers_capacity, capacities, options->rounds,
                         "twice the cores at %.2f us a session instead of %.2f in that round", cpus[1][round],
                         cpus[0][round]);
        suite_set_rounds(suite, MEASURED_workers_rate, ratios, options->rounds,
                         "on cores that the generator shares");
}

/* ---- arrivals ------------------------------------------------------------------------------------------ */

/* Open loop: the clients do not care how the server is. */
void suite_arrivals(struct suite *suite)
{
        static const enum peer_kind kinds[2] = {PEER_gatepost, PEER_floor};
        struct bench_options options = *suite->options;
        double p99s[2][ROUNDS_MAX], ratios[ROUNDS_MAX];
        struct server *servers[2];

        if (options.rate == 0)
                options.rate = ARRIVALS;
        for (unsigned i = 0; i < 2; i++)
                servers[i] = server_start(&options, kinds[i], false);
        for (unsigned round = 0; round < options.rounds; round++) {
                for (unsigned i = 0; i < 2; i++) {
                        unsigned which = (i + round) % 2;
                        struct trial trial =
                            suite_trial(suite, &options, servers[which], "spam-mix", ARRIVALS_OPEN);
                        p99s[which][round] = histogram_quantile_us(&trial.load->session, 0.99) / 1000;
                        trial_free(&trial);
                }
                ratios[round] = p99s[0][round] / p99s[1][round];
        }
        for (unsigned i = 0; i < 2; i++) {
                server_stop(servers[i]);
                printf("#   %s: p99 %.2f ms of a session\n", peer_name(kinds[i]),
                       median_of(p99s[i], options.rounds));
        }
        suite_set_rounds(suite, MEASURED_arrivals_p99, ratios, options.rounds,
                         "spam mix, %.0f sessions/s at random moments", options.rate);
}
