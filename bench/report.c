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
                       enum peer_kind peer, enum figure figure)
{
        const struct cell *cell = &compare_case->cells[peer], *floor = &compare_case->cells[PEER_floor];
        double ratios[ROUNDS_MAX];
        unsigned count = 0;

        for (unsigned i = 0; i < comparison->options->rounds && i < cell->rounds && i < floor->rounds; i++)
                if (floor->values[figure][i] > 0)
                        ratios[count++] = cell->values[figure][i] / floor->values[figure][i];
        return spread_over(ratios, count);
}

enum relation {
        AT_LEAST,
        AT_MOST,
};

enum target_state target_of(const struct comparison *comparison, const struct compare_case *compare_case,
                            enum figure figure, char ret_text[32])
{
        static const struct {
                const char *scenario;
                unsigned concurrency;
                enum figure figure;
                enum relation relation;
                double bound;
        } targets[] = {
#define TARGET(scenario, concurrency, figure, relation, bound)                                               \
        {scenario, concurrency, FIGURE_##figure, relation, bound},
#define MEASURED(...)
#include "bench/targets.def"
#undef TARGET
#undef MEASURED
        };
        double ratio = ratio_of(comparison, compare_case, PEER_gatepost, figure).median;

        for (size_t i = 0; i < sizeof targets / sizeof targets[0] && ratio > 0; i++) {
                if (targets[i].figure != figure ||
                    strcmp(targets[i].scenario, compare_case->workload->name) != 0 ||
                    (targets[i].concurrency != 0 && targets[i].concurrency != compare_case->concurrency))
                        continue;
                bool is_least = targets[i].relation == AT_LEAST;
                snprintf(ret_text, 32, "%s %.2f", is_least ? "at least" : "at most", targets[i].bound);
                return (is_least ? ratio >= targets[i].bound : ratio <= targets[i].bound) ? TARGET_MET
                                                                                          : TARGET_MISSED;
        }
        return TARGET_NONE;
}

static double syscalls_of(const struct cell *cell)
{
        return json_real_value(json_object_get(cell->syscalls, "all"));
}

/* ---- table ------------------------------------------------------------------------------------------- */

static const char *mark_of(const struct comparison *comparison, const struct compare_case *compare_case,
                           enum peer_kind peer, enum figure figure)
{
        char text[32];

        if (peer != PEER_gatepost)
                return " ";
        switch (target_of(comparison, compare_case, figure, text)) {
        case TARGET_MET:
                return "+";
        case TARGET_MISSED:
                return "!";
        case TARGET_NONE:
                break;
        }
        return " ";
}

static void print_row(const struct comparison *comparison, const struct compare_case *compare_case,
                      enum peer_kind peer)
{
        const struct cell *cell = &compare_case->cells[peer];
        struct spread rate = spread_of(cell, FIGURE_RATE), cpu = spread_of(cell, FIGURE_CPU);
        double rate_ratio = ratio_of(comparison, compare_case, peer, FIGURE_RATE).median;
        double cpu_ratio = ratio_of(comparison, compare_case, peer, FIGURE_CPU).median;
        double p99_ratio = ratio_of(comparison, compare_case, peer, FIGURE_P99).median;

        printf("%-18s %5u %-10s %7.0f %6.0f-%-6.0f %5.2f%s %7.1f %5.2f%s %8.2f %8.2f %5.2f%s %8.2f %6.2f",
               compare_case->workload->name, compare_case->concurrency, peer_name(peer), rate.median,
               rate.low, rate.high, rate_ratio, mark_of(comparison, compare_case, peer, FIGURE_RATE),
               cpu.median, cpu_ratio, mark_of(comparison, compare_case, peer, FIGURE_CPU),
               spread_of(cell, FIGURE_P50).median / 1000, spread_of(cell, FIGURE_P99).median / 1000,
               p99_ratio, mark_of(comparison, compare_case, peer, FIGURE_P99),
               spread_of(cell, FIGURE_P99_9).median / 1000, spread_of(cell, FIGURE_SWITCHES).median);
        if (cell->syscalls != NULL)
                printf(" %7.2f", syscalls_of(cell));
        printf("%s\n", cell->failures > 0 ? " FAILED" : "");
}

void report_print(const struct comparison *comparison)
{
        printf("\n%s, %s; server CPU from %s\n", comparison->machine, comparison->date,
               comparison->cpu_source);
        printf("medians of %u rounds of %.1f s, with lowest and highest; x: to the floor in the same round; "
               "+ target met, ! missed\n\n",
               comparison->options->rounds, comparison->options->seconds);
        printf("%-18s %5s %-10s %7s %13s %5s  %7s %5s  %8s %8s %5s  %8s %6s%s\n", "scenario", "open",
               "server", "/s", "", "x", "CPU us", "x", "p50 ms", "p99 ms", "x", "p99.9", "switch",
               comparison->options->counts_syscalls ? " syscall" : "");
        for (unsigned i = 0; i < comparison->case_count; i++)
                for (unsigned j = 0; j < comparison->peer_count; j++)
                        print_row(comparison, &comparison->cases[i], comparison->peers[j]);
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
                json_object_set_new(figures, names[i],
                                    json_pack("{s:f,s:f,s:f,s:f,s:o}", "median", spread.median, "low",
                                              spread.low, "high", spread.high, "to_floor",
                                              ratio_of(comparison, compare_case, peer, (enum figure)i).median,
                                              "rounds", values));
        }
        return figures;
}

static json_t *case_json(const struct comparison *comparison, const struct compare_case *compare_case)
{
        json_t *servers = json_object();

        for (unsigned i = 0; i < comparison->peer_count; i++) {
                const struct cell *cell = &compare_case->cells[comparison->peers[i]];
                json_t *server = json_pack("{s:I,s:I,s:o}", "sessions", (json_int_t)cell->sessions,
                                           "failures", (json_int_t)cell->failures, "figures",
                                           figures_json(comparison, compare_case, comparison->peers[i]));
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
