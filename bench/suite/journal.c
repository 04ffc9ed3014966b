/* Mail that is durable in the journal before its 250, beside the floor that syncs each message for itself. */
#include "bench/suite/internal.h"

#include "bench/peers/sink.h"

#include <stdio.h>
#include <time.h>

#define OPEN        500
#define DRAIN_TRIES 300 /* a minute */
#define DRAIN_NS    200000000

/* The journal has room for all that is kept, for no round begins anew. */
static const char configuration[] =
    "journal = \"@DIR@/journal\" journal_size = 16G journal_in_flight = 256\n"
    "domain \"journal.example\" {\n"
    "    recipients = \"recipients\" deliver = \"lmtp://127.0.0.1:@SINK@\" journal = always\n"
    "}\n"
    "domain \"kept.example\" {\n"
    "    recipients = \"recipients\" deliver = \"lmtp://127.0.0.1:1\" journal = always\n"
    "}\n";

enum side { FLOOR, DISCARDED, KEPT, DRAINED, SIDES };

static const char *const scenarios[SIDES] = {"durable-4k", "accepted-4k", "journal-kept", "journal-4k"};

struct measured_sides {
        double rates[SIDES][ROUNDS_MAX], cpus[SIDES][ROUNDS_MAX];
};

/* What waits still would be handed on beside the next trial, at that one's cost: until nothing comes any more. */
static void wait_for_sink(void)
{
        uint64_t messages = UINT64_MAX;

        for (int i = 0; i < DRAIN_TRIES && sink_count().messages != messages; i++) {
                messages = sink_count().messages;
                nanosleep(&(struct timespec){.tv_nsec = DRAIN_NS}, NULL);
        }
}

/* Each round has all sides, which take turns at being first: the disk's mood is that of the round. */
static void measure(struct suite *suite, struct server *const servers[SIDES],
                    struct measured_sides *ret_measured)
{
        const struct bench_options *options = suite->options;

        for (unsigned round = 0; round < options->rounds; round++)
                for (unsigned i = 0; i < SIDES; i++) {
                        unsigned side = (i + round) % SIDES;
                        struct trial trial =
                            suite_trial(suite, options, servers[side], scenarios[side], OPEN);
                        ret_measured->rates[side][round] = trial.sessions_per_s;
                        ret_measured->cpus[side][round] = trial.cpu_us;
                        if (side == DRAINED)
                                wait_for_sink();
                        trial_free(&trial);
                }
}

static void set_ratio(struct suite *suite, enum measured measured, double (*const figures)[ROUNDS_MAX],
                      enum side side, const char *unit)
{
        unsigned rounds = suite->options->rounds;
        double ratios[ROUNDS_MAX];

        for (unsigned round = 0; round < rounds; round++)
                ratios[round] = figures[FLOOR][round] > 0 ? figures[side][round] / figures[FLOOR][round] : 0;
        unsigned round = round_of_median(ratios, rounds);
        suite_set_rounds(suite, measured, ratios, rounds, "%.1f %s, floor %.1f in that round of %u",
                         figures[side][round], unit, figures[FLOOR][round], rounds);
}

void suite_journal(struct suite *suite)
{
        struct server *floor = server_start(suite->options, PEER_floor, true);
        struct server *journal = suite_start(suite->options, configuration);
        struct server *const servers[SIDES] = {floor, journal, journal, journal};
        struct sink_counts before = sink_count();
        struct measured_sides measured = {0};

        measure(suite, servers, &measured);
        set_ratio(suite, MEASURED_journal_discarded_rate, measured.rates, DISCARDED, "/s");
        set_ratio(suite, MEASURED_journal_discarded_cpu, measured.cpus, DISCARDED, "us");
        set_ratio(suite, MEASURED_journal_rate, measured.rates, KEPT, "/s");
        set_ratio(suite, MEASURED_journal_cpu, measured.cpus, KEPT, "us");
        set_ratio(suite, MEASURED_journal_drained_rate, measured.rates, DRAINED, "/s");
        set_ratio(suite, MEASURED_journal_drained_cpu, measured.cpus, DRAINED, "us");
        printf("#   the sink has got %llu messages\n",
               (unsigned long long)(sink_count().messages - before.messages));
        server_stop(journal);
        server_stop(floor);
}
