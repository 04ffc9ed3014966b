/* Cases about DNS: what its checks cost, what a session waits for, what a server remembers of its clients. */
#include "bench/suite/internal.h"

#include "bench/common.h"
#include "bench/peers/dns.h"
#include "bench/suite/chain_timer.h"

#include <stdlib.h>
#include <string.h>

#define LATE_MS       5
#define LATE_SECONDS  3 /* more than the clients' pause */
#define LATE_CLIENTS  2000
#define COLD_MS       1
#define COLD_CLIENTS  500
#define MANY_CLIENTS  1000000
#define MANY_PARTS    20
#define PARTS_S       1.0 /* each measurement */
#define QUICK_PARTS_S 0.1
/* After so many parts memory is to be at its bound. */
#define MANY_FORGOTTEN 10

static struct bench_options options_with(const struct suite *suite, unsigned variety, unsigned latency_ms)
{
        struct bench_options options = *suite->options;
        options.variety = variety;
        options.dns_latency_ms = latency_ms;
        return options;
}

/* ---- cached facts -------------------------------------------------------------------------------------- */

void suite_dns_cost(struct suite *suite)
{
        struct bench_options with = *suite->options, without = *suite->options;

        without.is_without_dns = true;
        struct server *servers[2] = {server_start(&with, PEER_gatepost, false),
                                     server_start(&without, PEER_gatepost, false)};
        suite_set_cost(suite, MEASURED_dns_cached, &with, servers, "refused-recipient");
        for (unsigned i = 0; i < 2; i++)
                server_stop(servers[i]);
}

/* ---- late answers -------------------------------------------------------------------------------------- */

struct late_round {
        struct histogram chains;
        double p50_ms, p99_ms; /* of a session */
};

static double chain_ms(const struct late_round *round, double share)
{
        return histogram_quantile_us(&round->chains, share) / 1000;
}

static void late_run(struct suite *suite, const struct bench_options *options, struct late_round *ret_round)
{
        struct server *server = server_start(options, PEER_gatepost, false);
        struct chain_timer *timer = chain_timer_start(dns_port(options));
        struct trial trial =
            suite_trial(suite, options, server, "thoughtful-client", LATE_CLIENTS / suite->divisor);

        chain_timer_stop(timer, &ret_round->chains);
        ret_round->p50_ms = histogram_quantile_us(&trial.load->session, 0.5) / 1000;
        ret_round->p99_ms = histogram_quantile_us(&trial.load->session, 0.99) / 1000;
        printf("#   %u clients, %s: %.0f sessions/s, p50 %.2f ms, p99 %.2f ms, CPU %.1f us a session; two "
               "questions "
               "in a row p50 %.2f ms, p99 %.2f ms\n",
               LATE_CLIENTS / suite->divisor, dns_describe(options), trial.sessions_per_s, ret_round->p50_ms,
               ret_round->p99_ms, trial.cpu_us, chain_ms(ret_round, 0.5), chain_ms(ret_round, 0.99));
        fflush(stdout);
        trial_free(&trial);
        server_stop(server);
}

/* Clients keep quiet for most of their time: so many sessions are open without the machine being busy, and
 * what they wait for is the server's doing. The longest chain of questions has two links: PTR and then A from
 * the connection on, TXT and then the included TXT from MAIL on. What such a chain takes is measured at the
 * same time, since the machine and the stub are late themselves; a warm session is what the rest takes. */
void suite_dns_late(struct suite *suite)
{
        struct bench_options warm = options_with(suite, 256, 0), cold = options_with(suite, 0, LATE_MS);
        double p50s[ROUNDS_MAX], p99s[ROUNDS_MAX];

        warm.seconds = cold.seconds = LATE_SECONDS;
        for (unsigned round = 0; round < warm.rounds; round++) {
                struct late_round warm_round, cold_round;
                late_run(suite, &warm, &warm_round);
                late_run(suite, &cold, &cold_round);
                p50s[round] = cold_round.p50_ms / (warm_round.p50_ms + chain_ms(&cold_round, 0.5));
                p99s[round] = cold_round.p99_ms / (warm_round.p99_ms + chain_ms(&cold_round, 0.99));
        }
        suite_set_rounds(suite, MEASURED_dns_late_p50, p50s, warm.rounds,
                         "%u ms a question, %u sessions open", LATE_MS, LATE_CLIENTS);
        suite_set_rounds(suite, MEASURED_dns_late_p99, p99s, warm.rounds, "%s", "");
}

/* ---- no cache ------------------------------------------------------------------------------------------ */

/* Only DNS refuses these senders: an answer that the pool could not get would be a wrong reply. */
void suite_dns_cold(struct suite *suite)
{
        struct bench_options warm = options_with(suite, 256, COLD_MS), cold = options_with(suite, 0, COLD_MS);
        double costs[ROUNDS_MAX], rates[ROUNDS_MAX], asked[ROUNDS_MAX];
        struct server *server = server_start(&cold, PEER_gatepost, false);

        for (unsigned round = 0; round < cold.rounds; round++) {
                struct trial cached =
                    suite_trial(suite, &warm, server, "forged-sender", COLD_CLIENTS / suite->divisor);
                uint64_t before = dns_questions(&cold);
                double begin_s = (double)bench_now_ns() / 1e9;
                struct trial trial =
                    suite_trial(suite, &cold, server, "forged-sender", COLD_CLIENTS / suite->divisor);
                double seconds = (double)bench_now_ns() / 1e9 - begin_s;
                double questions = (double)(dns_questions(&cold) - before);
                /* Sessions of the start ask too, so rates are those of the whole load. */
                rates[round] = questions / seconds;
                asked[round] = questions / (trial.sessions_per_s * seconds);
                costs[round] = (trial.cpu_us - cached.cpu_us) / asked[round];
                trial_free(&cached);
                trial_free(&trial);
        }
        server_stop(server);
        suite_set_rounds(suite, MEASURED_dns_questions, rates, cold.rounds, "%.1f questions a session",
                         median_of(asked, cold.rounds));
        suite_set_rounds(suite, MEASURED_dns_question, costs, cold.rounds, "server's CPU");
}

/* ---- many clients -------------------------------------------------------------------------------------- */

void suite_clients(struct suite *suite)
{
        struct bench_options options = options_with(suite, 0, 0);
        uint64_t all = options.sessions != 0 ? options.sessions : MANY_CLIENTS / suite->divisor;
        struct server *server = server_start(&options, PEER_gatepost, false);
        double first = (double)usage_read(&server->watched).user_memory / 1048576, bound = 0, highest = 0;

        options.sessions = all / MANY_PARTS;
        printf("#   clients: MiB of user memory\n#   0: %.1f\n", first);
        for (unsigned part = 1; part <= MANY_PARTS; part++) {
                struct trial trial =
                    suite_trial(suite, &options, server, "refused-recipient", COLD_CLIENTS / suite->divisor);
                double now = (double)usage_read(&server->watched).user_memory / 1048576;
                if (part <= MANY_FORGOTTEN && now > bound)
                        bound = now;
                highest = now > highest ? now : highest;
                printf("#   %llu: %.1f (%.0f sessions/s)\n", (unsigned long long)options.sessions * part, now,
                       trial.sessions_per_s);
                fflush(stdout);
                trial_free(&trial);
        }
        server_stop(server);
        suite_set(suite, MEASURED_clients_memory, highest, "%.1f with none, %.1f after %u %% of the clients",
                  first, bound, 100 * MANY_FORGOTTEN / MANY_PARTS);
        suite_set(suite, MEASURED_clients_growth, highest - bound, "from then on");
}

/* ---- parts --------------------------------------------------------------------------------------------- */

/* gatepost-dns-bench prints a line "NAME VALUE ..." for each figure. */
void suite_parts(struct suite *suite)
{
        static const struct {
                const char *name;
                enum measured measured;
        } parts[] = {{"cache_hits", MEASURED_cache_hits},     {"cache_hit", MEASURED_cache_hit},
                     {"dns_misses", MEASURED_dns_misses},     {"cache_octets", MEASURED_cache_octets},
                     {"cache_memory", MEASURED_cache_memory}, {"spf_evaluation", MEASURED_spf_evaluation}};
        char command[600], line[256], name[64];
        double value;

        snprintf(command, sizeof command, "%s/gatepost-dns-bench %.1f", suite->options->build,
                 suite->divisor == 1 ? PARTS_S : QUICK_PARTS_S);
        FILE *output = popen(command, "re");
        expect(output != NULL);
        while (fgets(line, sizeof line, output) != NULL) {
                printf("#   %s", line);
                if (sscanf(line, "%63s %lf", name, &value) != 2)
                        continue;
                for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
                        if (strcmp(name, parts[i].name) == 0)
                                suite_set(suite, parts[i].measured, value, "%s", "");
        }
        if (pclose(output) != 0)
                bench_fail("gatepost-dns-bench fails");
}
