/* Mail that is handed on to next hops: what that costs beside mail that is thrown away, and what a dead one does. */
#include "bench/suite/internal.h"

#include "bench/peers/sink.h"

#include <stdio.h>

#define DEAD_RATE    1000 /* messages a second */
#define DEAD_OPEN    500
#define DEAD_SECONDS 5.0 /* of one sample of memory */
#define DEAD_SAMPLES 13  /* the first one is warm-up */
#define LONG_SAMPLES 121 /* ten minutes behind it */

/* Beside each other in each round, at the same server. */
static void measure_cost(struct suite *suite, const struct server *server)
{
        const struct bench_options *options = suite->options;
        double ratios[ROUNDS_MAX], kept[ROUNDS_MAX], handed[ROUNDS_MAX];
        struct sink_counts before = sink_count();

        for (unsigned round = 0; round < options->rounds; round++) {
                struct trial discarded =
                    suite_trial(suite, options, server, "accepted-4k", options->concurrencies[0]);
                struct trial forwarded =
                    suite_trial(suite, options, server, "lmtp-4k", options->concurrencies[0]);
                kept[round] = discarded.cpu_us;
                handed[round] = forwarded.cpu_us;
                ratios[round] = discarded.cpu_us > 0 ? forwarded.cpu_us / discarded.cpu_us : 0;
                trial_free(&discarded);
                trial_free(&forwarded);
        }
        struct sink_counts after = sink_count();
        uint64_t messages = after.messages - before.messages;
        uint64_t connections = after.connections - before.connections;
        unsigned round = round_of_median(ratios, options->rounds);
        suite_set_rounds(suite, MEASURED_hop_cpu, ratios, options->rounds,
                         "%.1f us handed on, %.1f us thrown away in that round", handed[round], kept[round]);
        suite_set(suite, MEASURED_hop_reuse,
                  messages == 0 ? 0 : 100 - 100 * (double)connections / (double)messages,
                  "%llu messages over %llu connections", (unsigned long long)messages,
                  (unsigned long long)connections);
}

/* Clients come again and again, and nothing of them may stay. At first as many are open as there may be, because what
 * sessions had at their most is kept for those that come. */
static void measure_dead(struct suite *suite, const struct server *server, enum measured measured,
                         unsigned samples)
{
        struct bench_options options = *suite->options;
        double first = 0, last = 0, most = 0, seconds = 0;
        uint64_t messages = 0;

        if (!options.is_quick)
                options.seconds = DEAD_SECONDS;
        printf("#   dead: MiB of user memory\n");
        for (unsigned i = 0; i < (options.is_quick ? 2 : samples); i++) {
                options.rate = i == 0 ? 0 : DEAD_RATE;
                struct trial trial = suite_trial(suite, &options, server, "lmtp-dead", DEAD_OPEN);
                last = (double)usage_read(&server->watched).user_memory / 1048576;
                printf("#   %.0f s: %.2f\n", options.seconds * (i + 1), last);
                fflush(stdout);
                if (i == 0) {
                        first = last;
                } else {
                        messages += trial.load->sessions;
                        seconds += trial.seconds;
                }
                most = last > most ? last : most;
                trial_free(&trial);
        }
        suite_set(suite, measured, last - first,
                  "%.1f MiB after %.0f s, %.1f MiB at the end, %.1f at most; %llu messages in %.0f s, %.0f a "
                  "second",
                  first, options.seconds, last, most, (unsigned long long)messages, seconds,
                  (double)messages / seconds);
}

void suite_hops(struct suite *suite)
{
        struct server *server = suite_start(suite->options, NULL);

        measure_cost(suite, server);
        measure_dead(suite, server, MEASURED_hop_dead_growth, DEAD_SAMPLES);
        server_stop(server);
}

void suite_hop_dead(struct suite *suite)
{
        struct server *server = suite_start(suite->options, NULL);

        measure_dead(suite, server, MEASURED_hop_dead_long, LONG_SAMPLES);
        server_stop(server);
}
