/* Medians, ratios and targets of a comparison. */
#include "bench/report/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- medians and ratios -------------------------------------------------------------------------------- */

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

/* ---- targets ------------------------------------------------------------------------------------------- */

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
