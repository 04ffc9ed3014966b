/* Medians, ratios and targets of a comparison, as a table and as JSON. */
#include "bench/compare.h"

#include <stdlib.h>
#include <string.h>

/* ---- figures ----------------------------------------------------------------------------------------- */

static int compare_values(const void *left, const void *right)
{
        double a = *(const double *)left, b = *(const double *)right;
        return (a > b) - (a < b);
}

static struct spread spread_over(const double *values, unsigned count)
{
        double sorted[ROUNDS_MAX];

        if (count == 0)
                return (struct spread){0};
        memcpy(sorted, values, count * sizeof sorted[0]);
        qsort(sorted, count, sizeof sorted[0], compare_values);
        double median = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
        return (struct spread){sorted[0], median, sorted[count - 1]};
}

struct spread spread_of(const struct cell *cell, enum figure figure)
{
        return spread_over(cell->values[figure], cell->rounds);
}

struct spread ratio_of(const struct comparison *comparison, const struct compare_case *compare_case,
                       enum peer_kind peer, enum peer_kind base, enum figure figure)
{
        const struct cell *cell = &compare_case->cells[peer], *to = &compare_case->cells[base];
        double ratios[ROUNDS_MAX];
        unsigned count = 0;

        for (unsigned i = 0; i < comparison->options->rounds && i < cell->rounds && i < to->rounds; i++)
                if (to->values[figure][i] > 0)
                        ratios[count++] = cell->values[figure][i] / to->values[figure][i];
        return spread_over(ratios, count);
}

/* ---- targets ----------------------------------------------------------------------------------------- */

enum relation {
        AT_LEAST,
        AT_MOST,
};

static const struct row {
        enum peer_kind base;
        const char *scenario;
        unsigned concurrency;
        enum figure figure;
        enum relation relation;
        double bound;
} rows[] = {
#define TARGET(scenario, concurrency, figure, relation, bound)                                               \
        {PEER_floor, scenario, concurrency, FIGURE_##figure, relation, bound},
#define PEER_TARGET(base, scenario, concurrency, figure, relation, bound)                                    \
        {PEER_##base, scenario, concurrency, FIGURE_##figure, relation, bound},
#define MEASURED(...)
#include "bench/targets.def"
#undef TARGET
#undef PEER_TARGET
#undef MEASURED
};

const unsigned target_count = sizeof rows / sizeof rows[0];

struct target target_of(const struct comparison *comparison, const struct compare_case *compare_case,
                        unsigned number)
{
        const struct row *row = &rows[number];
        struct target target = {.base = row->base, .figure = row->figure};
        bool is_least = row->relation == AT_LEAST;

        target.ratio = ratio_of(comparison, compare_case, PEER_gatepost, row->base, row->figure);
        if (strcmp(row->scenario, compare_case->workload->name) != 0 || target.ratio.median <= 0 ||
            (row->concurrency != 0 && row->concurrency != compare_case->concurrency))
                return target;
        bool is_met = is_least ? target.ratio.median >= row->bound : target.ratio.median <= row->bound;
        snprintf(target.bound, sizeof target.bound, "%s %.2f", is_least ? "at least" : "at most", row->bound);
        target.state = is_met ? TARGET_MET : TARGET_MISSED;
        return target;
}

static double syscalls_of(const struct cell *cell)
{
        return json_real_value(json_object_get(cell->syscalls, "all"));
}

/* ---- table ------------------------------------------------------------------------------------------- */

/* Of gatepost's target to `base`. */
static const char *mark_of(const struct comparison *comparison, const struct compare_case *compare_case,
                           enum peer_kind base, enum figure figure)
{
        for (unsigned i = 0; i < target_count; i++) {
                struct target target = target_of(comparison, compare_case, i);
                if (target.base == base && target.figure == figure && target.state != TARGET_NONE)
                        return target.state == TARGET_MET ? "+" : "!";
        }
        return " ";
}

/* Multiples of the floor's. Targets are gatepost's: that to another server stands at this one's CPU. */
static void print_row(const struct comparison *comparison, const struct compare_case *compare_case,
                      enum peer_kind peer)
{
        const struct cell *cell = &compare_case->cells[peer];
        struct spread rate = spread_of(cell, FIGURE_RATE);
        const char *marks[FIGURES], *name = peer_name(peer);
        double ratios[FIGURES];

        for (unsigned i = 0; i < FIGURES; i++) {
                enum figure figure = (enum figure)i;
                ratios[i] = ratio_of(comparison, compare_case, peer, PEER_floor, figure).median;
                marks[i] =
                    peer == PEER_gatepost ? mark_of(comparison, compare_case, PEER_floor, figure) : " ";
        }
        double of_gatepost = ratio_of(comparison, compare_case, peer, PEER_gatepost, FIGURE_CPU).median;
        printf("%-17s %5u %s%-*s %6.0f %6.0f-%-6.0f %5.2f%s %8.1f %6.2f%s %6.2f%s",
               compare_case->workload->name, compare_case->concurrency, name, 11 - (int)strlen(name),
               cell->workload->has_own ? "*" : "", rate.median, rate.low, rate.high, ratios[FIGURE_RATE],
               marks[FIGURE_RATE], spread_of(cell, FIGURE_CPU).median, ratios[FIGURE_CPU], marks[FIGURE_CPU],
               of_gatepost, peer == PEER_floor ? " " : mark_of(comparison, compare_case, peer, FIGURE_CPU));
        printf(" %8.2f %8.2f %6.2f%s %8.2f %6.2f", spread_of(cell, FIGURE_P50).median / 1000,
               spread_of(cell, FIGURE_P99).median / 1000, ratios[FIGURE_P99], marks[FIGURE_P99],
               spread_of(cell, FIGURE_P99_9).median / 1000, spread_of(cell, FIGURE_SWITCHES).median);
        if (cell->syscalls != NULL)
                printf(" %7.2f", syscalls_of(cell));
        printf("%s\n", cell->failures > 0 ? " FAILED" : "");
}

void report_print(const struct comparison *comparison)
{
        printf("\n%s, %s; server CPU from %s\n", comparison->machine, comparison->date,
               comparison->cpu_source);
        printf("medians of %u rounds of %.1f s, with lowest and highest; x: to the floor, gp: to gatepost in "
               "the "
               "same round;\n+ gatepost's target met, ! missed; * a dialogue of its own, see "
               "bench/scenarios\n\n",
               comparison->options->rounds, comparison->options->seconds);
        printf("%-17s %5s %-11s %6s %13s %5s  %8s %6s  %6s  %8s %8s %6s  %8s %6s%s\n", "scenario", "open",
               "server", "/s", "", "x", "CPU us", "x", "gp", "p50 ms", "p99 ms", "x", "p99.9", "switch",
               comparison->options->counts_syscalls ? " syscall" : "");
        for (unsigned i = 0; i < comparison->case_count; i++) {
                for (unsigned j = 0; j < comparison->peer_count; j++)
                        print_row(comparison, &comparison->cases[i], comparison->peers[j]);
                if (comparison->peer_count > 2)
                        printf("\n");
        }
        printf("\nuser memory of an idle connection, octets:");
        for (unsigned i = 0; i < comparison->peer_count; i++)
                printf(" %s %.0f", peer_name(comparison->peers[i]),
                       comparison->idle_octets[comparison->peers[i]]);
        printf("\n");
}

/* ---- JSON -------------------------------------------------------------------------------------------- */

static json_t *figures_json(const struct comparison *comparison, const struct compare_case *compare_case,
                            enum peer_kind peer)
{
        static const char *const names[FIGURES] = {
            [FIGURE_RATE] = "sessions_per_s",       [FIGURE_CPU] = "server_cpu_us",
            [FIGURE_P50] = "session_p50_us",        [FIGURE_P99] = "session_p99_us",
            [FIGURE_P99_9] = "session_p99_9_us",    [FIGURE_SWITCHES] = "context_switches",
            [FIGURE_GENERATOR] = "generator_cpu_us"};
        const struct cell *cell = &compare_case->cells[peer];
        json_t *figures = json_object();

        for (unsigned i = 0; i < FIGURES; i++) {
                struct spread spread = spread_of(cell, (enum figure)i);
                json_t *values = json_array();
                for (unsigned j = 0; j < cell->rounds; j++)
                        json_array_append_new(values, json_real(cell->values[i][j]));
                json_object_set_new(
                    figures, names[i],
                    json_pack("{s:f,s:f,s:f,s:f,s:f,s:o}", "median", spread.median, "low", spread.low, "high",
                              spread.high, "to_floor",
                              ratio_of(comparison, compare_case, peer, PEER_floor, (enum figure)i).median,
                              "to_gatepost",
                              ratio_of(comparison, compare_case, peer, PEER_gatepost, (enum figure)i).median,
                              "rounds", values));
        }
        return figures;
}

static json_t *case_json(const struct comparison *comparison, const struct compare_case *compare_case)
{
        json_t *servers = json_object();

        for (unsigned i = 0; i < comparison->peer_count; i++) {
                const struct cell *cell = &compare_case->cells[comparison->peers[i]];
                json_t *server =
                    json_pack("{s:I,s:I,s:b,s:o}", "sessions", (json_int_t)cell->sessions, "failures",
                              (json_int_t)cell->failures, "own_dialogue", (int)cell->workload->has_own,
                              "figures", figures_json(comparison, compare_case, comparison->peers[i]));
                if (cell->syscalls != NULL)
                        json_object_set(server, "syscalls", cell->syscalls);
                json_object_set_new(servers, peer_name(comparison->peers[i]), server);
        }
        return json_pack("{s:s,s:s,s:i,s:o}", "scenario", compare_case->workload->name, "title",
                         compare_case->workload->title, "concurrency", (int)compare_case->concurrency,
                         "servers", servers);
}

bool report_write_json(const struct comparison *comparison, const char *path)
{
        json_t *cases = json_array(), *idle = json_object();

        for (unsigned i = 0; i < comparison->case_count; i++)
                json_array_append_new(cases, case_json(comparison, &comparison->cases[i]));
        for (unsigned i = 0; i < comparison->peer_count; i++)
                json_object_set_new(idle, peer_name(comparison->peers[i]),
                                    json_real(comparison->idle_octets[comparison->peers[i]]));
        json_t *all = json_pack("{s:s,s:s,s:s,s:i,s:f,s:o,s:o}", "machine", comparison->machine, "date",
                                comparison->date, "server_cpu_source", comparison->cpu_source, "rounds",
                                (int)comparison->options->rounds, "seconds", comparison->options->seconds,
                                "idle_connection_octets", idle, "cases", cases);
        bool is_written = json_dump_file(all, path, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) == 0;
        json_decref(all);
        return is_written;
}
