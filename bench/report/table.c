/* The comparison as a table on stdout. */
#include "bench/report/internal.h"

#include <stdio.h>
#include <string.h>

static double syscalls_of(const struct cell *cell)
{
        return json_real_value(json_object_get(cell->syscalls, "all"));
}

/* Ratios are to the floor's figures as they are shown. */
static void print_row(const struct compare_case *compare_case, enum peer_kind peer)
{
        const struct cell *cell = &compare_case->cells[peer];
        struct spread rate = spread_of(cell, FIGURE_RATE);
        const char *name = peer_name(peer);
        double ratios[FIGURES];

        for (unsigned i = 0; i < FIGURES; i++)
                ratios[i] = quotient_of(compare_case, peer, PEER_floor, (enum figure)i);
        printf("%-17s %5u %s%-*s %6.0f %6.0f-%-6.0f %5.2f %8.1f %6.2f %6.2f", compare_case->workload->name,
               compare_case->concurrency, name, 11 - (int)strlen(name), cell->workload->has_own ? "*" : "",
               rate.median, rate.low, rate.high, ratios[FIGURE_RATE], spread_of(cell, FIGURE_CPU).median,
               ratios[FIGURE_CPU], quotient_of(compare_case, peer, PEER_gatepost, FIGURE_CPU));
        printf(" %8.2f %8.2f %6.2f %8.2f %6.2f", spread_of(cell, FIGURE_P50).median / 1000,
               spread_of(cell, FIGURE_P99).median / 1000, ratios[FIGURE_P99],
               spread_of(cell, FIGURE_P99_9).median / 1000, spread_of(cell, FIGURE_SWITCHES).median);
        if (cell->syscalls != NULL)
                printf(" %7.2f", syscalls_of(cell));
        if (spread_of(cell, FIGURE_HANDED_ON).median > 0)
                printf(" handed on: %.2f", spread_of(cell, FIGURE_HANDED_ON).median);
        printf("%s\n", cell->failures > 0 ? " FAILED" : "");
}

static void print_target(const struct compare_case *compare_case, const struct target *target)
{
        char bound[FIGURE_TEXT_MAX], median[FIGURE_TEXT_MAX], low[FIGURE_TEXT_MAX], high[FIGURE_TEXT_MAX];

        if (target->state == TARGET_NONE)
                return;
        bound_write(bound, sizeof bound, &target->bound, "x");
        printf("%-17s %5u %-20s %-14s %-10s %8s %8s-%-8s %s\n", compare_case->workload->name,
               compare_case->concurrency, figure_name(target->figure), bound, peer_name(target->base),
               figure_write(median, target->ratio.median, 2, &target->bound),
               figure_write(low, target->ratio.low, 2, &target->bound),
               figure_write(high, target->ratio.high, 2, &target->bound), target_state_name(target->state));
}

static void print_targets(const struct comparison *comparison)
{
        printf(
            "\ngatepost's targets: ratios in each round, their median, lowest and highest; undecided: some "
            "rounds meet it, others miss it\n\n");
        for (unsigned i = 0; i < comparison->case_count; i++)
                for (unsigned j = 0; j < target_count; j++) {
                        struct target target = target_of(comparison, &comparison->cases[i], j);
                        print_target(&comparison->cases[i], &target);
                }
}

static void print_head(const struct comparison *comparison)
{
        printf("\n%s\n%s; server CPU from %s; load %.1f before, %.1f after\n%s\n", comparison->machine,
               comparison->date, comparison->cpu_source, comparison->load_before, comparison->load_after,
               comparison->options->command);
        for (unsigned i = 0; i < comparison->peer_count; i++)
                printf("%s%s: %s", i == 0 ? "" : "; ", peer_name(comparison->peers[i]),
                       comparison->versions[comparison->peers[i]]);
        printf("\nmedians of %u rounds of %.1f s, with lowest and highest; x: to the floor's, gp: to "
               "gatepost's; * a dialogue of its own, see bench/scenarios\n\n",
               comparison->options->rounds, comparison->options->seconds);
}

static void print_idle(const struct comparison *comparison)
{
        printf("\nuser memory of an idle connection, octets:");
        for (unsigned i = 0; i < comparison->peer_count; i++) {
                double octets = comparison->idle_octets[comparison->peers[i]];
                if (octets < 0)
                        printf(" %s not measured", peer_name(comparison->peers[i]));
                else
                        printf(" %s %.0f", peer_name(comparison->peers[i]), octets);
        }
        printf("\n");
}

void report_print(const struct comparison *comparison)
{
        print_head(comparison);
        printf("%-17s %5s %-11s %6s %13s %5s %8s %6s %6s %8s %8s %6s %8s %6s%s\n", "scenario", "open",
               "server", "/s", "", "x", "CPU us", "x", "gp", "p50 ms", "p99 ms", "x", "p99.9", "switch",
               comparison->options->counts_syscalls ? " syscall" : "");
        for (unsigned i = 0; i < comparison->case_count; i++) {
                for (unsigned j = 0; j < comparison->peer_count; j++)
                        print_row(&comparison->cases[i], comparison->peers[j]);
                if (comparison->peer_count > 2)
                        printf("\n");
        }
        print_targets(comparison);
        print_idle(comparison);
}
