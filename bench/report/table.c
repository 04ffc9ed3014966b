/* The comparison as a table on stdout. */
#include "bench/report/internal.h"

#include <stdio.h>
#include <string.h>

static double syscalls_of(const struct cell *cell)
{
        return json_real_value(json_object_get(cell->syscalls, "all"));
}

/* The mark of gatepost's target to `base`. */
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

/* Ratios are to the floor's figures. All targets are gatepost's; the one to another server stands at that
 * server's CPU. */
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
