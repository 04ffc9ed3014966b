/* What TLS costs: beside the floor and openssl s_server, in memory, and those who do not use it. */
#include "bench/suite/internal.h"

#include "bench/common.h"
#include "bench/load/idle.h"

#include <stdlib.h>
#include <time.h>

#define COST_SECONDS   0.7
#define HANDSHAKE_OPEN 16 /* s_server has room for 32 in its queue */
#define IDLE_OPEN      2000
#define CROWD          2000
#define GOOD_RATE      200 /* good clients a second */
#define GOOD_OPEN      500
#define TRY_NS         5000000
#define WARM_UP_NS     500000000

enum side { GATEPOST, FLOOR, S_SERVER, SIDES };

static const enum peer_kind kinds[SIDES] = {PEER_gatepost, PEER_floor, PEER_s_server};

static double cpu_of(struct suite *suite, const struct server *server, const char *scenario, unsigned open)
{
        struct bench_options options = *suite->options;

        if (options.seconds > COST_SECONDS)
                options.seconds = COST_SECONDS;
        struct trial trial = suite_trial(suite, &options, server, scenario, open);
        double cpu_us = trial.cpu_us;
        trial_free(&trial);
        return cpu_us;
}

/* ---- sessions ------------------------------------------------------------------------------------------ */

static void set_ratio(struct suite *suite, enum measured measured, struct server *const servers[2],
                      const char *scenario)
{
        double cpus[2][ROUNDS_MAX], ratios[ROUNDS_MAX];
        unsigned rounds = suite->options->rounds;

        for (unsigned round = 0; round < rounds; round++) {
                for (unsigned i = 0; i < 2; i++) {
                        unsigned which = (i + round) % 2;
                        cpus[which][round] =
                            cpu_of(suite, servers[which], scenario, suite->options->concurrencies[0]);
                }
                ratios[round] = cpus[0][round] / cpus[1][round];
        }
        unsigned round = round_of_median(ratios, rounds);
        suite_set_rounds(suite, measured, ratios, rounds, "%.1f us and %.1f in that round of %u",
                         cpus[0][round], cpus[1][round], rounds);
}

/* ---- handshakes ---------------------------------------------------------------------------------------- */

static const struct variant {
        const char *scenario;
        enum measured full, resumed; /* figures */
        const char *scenario_resumed;
} variants[] = {
    {"tls-handshake", MEASURED_tls_handshake_ecdsa, MEASURED_tls_resumed, "tls-handshake:resumed"},
    {"tls-handshake:rsa", MEASURED_tls_handshake_rsa, MEASURED_tls_resumed_rsa, "tls-handshake:rsa:resumed"},
    {"tls-handshake:1.2", MEASURED_tls_handshake_1_2, MEASURED_tls_resumed_1_2, "tls-handshake:1.2:resumed"},
    {"tls-handshake:1.2:rsa", MEASURED_tls_handshake_1_2_rsa, MEASURED_tls_resumed_1_2_rsa,
     "tls-handshake:1.2:rsa:resumed"},
};

/* CPU of handshakes, round by round, less that of a session without one. */
struct handshakes {
        double full[SIDES][ROUNDS_MAX], resumed[SIDES][ROUNDS_MAX];
};

static void measure_handshakes(struct suite *suite, const struct variant *variant,
                               struct server *const servers[SIDES], struct handshakes *ret_handshakes)
{
        for (unsigned round = 0; round < suite->options->rounds; round++)
                for (unsigned i = 0; i < SIDES; i++) {
                        unsigned side = (i + round) % SIDES;
                        double none = cpu_of(suite, servers[side], "tls-none", HANDSHAKE_OPEN);
                        ret_handshakes->full[side][round] =
                            cpu_of(suite, servers[side], variant->scenario, HANDSHAKE_OPEN) - none;
                        /* A client of s_server does not stay for a ticket. */
                        if (side != S_SERVER)
                                ret_handshakes->resumed[side][round] =
                                    cpu_of(suite, servers[side], variant->scenario_resumed, HANDSHAKE_OPEN) -
                                    none;
                }
}

static void set_handshakes(struct suite *suite, const struct variant *variant,
                           const struct handshakes *handshakes)
{
        double ratios[ROUNDS_MAX], resumed[ROUNDS_MAX];
        unsigned rounds = suite->options->rounds;

        for (unsigned round = 0; round < rounds; round++) {
                ratios[round] = handshakes->full[GATEPOST][round] / handshakes->full[S_SERVER][round];
                resumed[round] = handshakes->resumed[GATEPOST][round] / handshakes->full[GATEPOST][round];
        }
        printf("#   %s: gatepost %.1f us in full and %.1f resumed, the floor %.1f and %.1f, s_server %.1f\n",
               variant->scenario, median_of(handshakes->full[GATEPOST], rounds),
               median_of(handshakes->resumed[GATEPOST], rounds), median_of(handshakes->full[FLOOR], rounds),
               median_of(handshakes->resumed[FLOOR], rounds), median_of(handshakes->full[S_SERVER], rounds));
        unsigned round = round_of_median(ratios, rounds);
        suite_set_rounds(suite, variant->full, ratios, rounds, "%.1f us and %.1f in that round of %u",
                         handshakes->full[GATEPOST][round], handshakes->full[S_SERVER][round], rounds);
        suite_set_rounds(suite, variant->resumed, resumed, rounds, "%s", "");
}

static void compare_with_others(struct suite *suite)
{
        struct server *servers[SIDES];

        for (unsigned i = 0; i < SIDES; i++)
                servers[i] = server_start(suite->options, kinds[i], false);
        set_ratio(suite, MEASURED_tls_refused, servers, "tls-refused");
        set_ratio(suite, MEASURED_tls_accepted, servers, "tls-accepted-4k");
        for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
                struct handshakes handshakes = {0};
                measure_handshakes(suite, &variants[i], servers, &handshakes);
                set_handshakes(suite, &variants[i], &handshakes);
        }
        for (unsigned i = 0; i < SIDES; i++)
                server_stop(servers[i]);
}

/* ---- memory -------------------------------------------------------------------------------------------- */

/* Fresh servers: others would take what they still have from earlier sessions. */
static void measure_idle(struct suite *suite)
{
        unsigned count = IDLE_OPEN / suite->divisor;
        double octets[2];

        for (unsigned i = 0; i < 2; i++) {
                struct server *server = server_start(suite->options, PEER_gatepost, false);
                octets[i] = i == 0 ? idle_memory(&server->address, &server->watched, count)
                                   : idle_memory_secure(&server->address, &server->watched, count);
                server_stop(server);
        }
        suite_set(suite, MEASURED_tls_idle, (octets[1] - octets[0]) / 1024, "%.0f octets, and %.0f plain",
                  octets[1], octets[0]);
}

/* ---- those without TLS --------------------------------------------------------------------------------- */

static void compare_plain(struct suite *suite)
{
        struct bench_options without = *suite->options;

        without.is_without_tls = true;
        struct server *servers[2] = {server_start(suite->options, PEER_gatepost, false),
                                     server_start(&without, PEER_gatepost, false)};
        set_ratio(suite, MEASURED_tls_plain, servers, "refused-recipient");
        server_stop(servers[1]);
        if (without.before != NULL) {
                without.program = without.before;
                servers[1] = server_start(&without, PEER_gatepost, false);
                set_ratio(suite, MEASURED_tls_before, servers, "refused-recipient");
                server_stop(servers[1]);
        }
        server_stop(servers[0]);
}

/* ---- crowd --------------------------------------------------------------------------------------------- */

static struct load_plan plan_of(const struct suite *suite, const struct server *server, const char *scenario)
{
        const struct bench_options *options = suite->options;

        return (struct load_plan){
            .server = server->address,
            .workload = workload_read(options->scenarios, scenario, peer_name(server->kind)),
            .threads = 1,
            .variety = options->variety,
            .timeout_ns = (uint64_t)(options->timeout_s * 1e9),
        };
}

static void sleep_ns(long ns)
{
        nanosleep(&(struct timespec){.tv_nsec = ns}, NULL);
}

static void count_all(struct suite *suite, struct load_figures *figures)
{
        suite->sessions += figures->sessions;
        suite->failures += figures->failures;
        for (unsigned i = 0; i < SAMPLES_MAX; i++)
                if (figures->samples[i][0] != '\0')
                        fprintf(stderr, "  wrong: %s\n", figures->samples[i]);
}

/* A crowd of new clients comes at once, and all of them want a handshake. Returns the p99 of all replies that good
 * clients get meanwhile, and how long that took. */
static double crowd_p99_ms(struct suite *suite, const struct server *good, const struct server *crowded,
                           double *ret_seconds)
{
        struct load_plan crowd = plan_of(suite, crowded, "tls-handshake"),
                         honest = plan_of(suite, good, "accepted-4k");
        struct histogram replies = {0};

        crowd.concurrency = CROWD / suite->divisor;
        crowd.is_at_once = true;
        honest.concurrency = GOOD_OPEN;
        honest.rate = GOOD_RATE;
        struct load *load = load_start(&honest, 0);
        sleep_ns(WARM_UP_NS);
        load_measure(load);
        uint64_t begin_ns = bench_now_ns();
        struct load *comers = load_start(&crowd, crowd.concurrency);
        while (!load_is_finished(comers))
                sleep_ns(TRY_NS);
        *ret_seconds = (double)(bench_now_ns() - begin_ns) / 1e9;
        load_stop(load);
        struct load_figures *figures[2] = {load_join(load), load_join(comers)};
        for (unsigned i = 0; i < STEPS_MAX; i++)
                histogram_merge(&replies, &figures[0]->steps[0][i]);
        for (unsigned i = 0; i < 2; i++) {
                count_all(suite, figures[i]);
                free(figures[i]);
        }
        return histogram_quantile_us(&replies, 0.99) / 1000;
}

/* Both times the machine has the same work; what differs is whether the good clients' server has it. */
static void compare_crowd(struct suite *suite)
{
        double here[ROUNDS_MAX], elsewhere[ROUNDS_MAX], delays[ROUNDS_MAX], seconds[ROUNDS_MAX];
        unsigned rounds = suite->options->rounds;
        struct server *servers[2];

        for (unsigned i = 0; i < 2; i++)
                servers[i] = server_start(suite->options, PEER_gatepost, false);
        for (unsigned round = 0; round < rounds; round++) {
                elsewhere[round] = crowd_p99_ms(suite, servers[0], servers[1], &seconds[round]);
                here[round] = crowd_p99_ms(suite, servers[0], servers[0], &seconds[round]);
                delays[round] = here[round] - elsewhere[round];
        }
        for (unsigned i = 0; i < 2; i++)
                server_stop(servers[i]);
        unsigned round = round_of_median(delays, rounds);
        suite_set_rounds(suite, MEASURED_tls_crowd, delays, rounds,
                         "%.1f ms and %.1f in that round of %u, which took %.1f s", here[round],
                         elsewhere[round], rounds, seconds[round]);
}

void suite_tls(struct suite *suite)
{
        compare_with_others(suite);
        measure_idle(suite);
        compare_plain(suite);
        compare_crowd(suite);
}
