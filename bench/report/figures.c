/* Medians, ratios and targets of a comparison. */
#include "bench/report/internal.h"

#include "core/base/expect.h"

#include <string.h>

/* ---- medians and ratios -------------------------------------------------------------------------------- */

const struct shape figure_shapes[FIGURES] = {
    [FIGURE_RATE] = {1, 0},      [FIGURE_CPU] = {1, 1},       [FIGURE_P50] = {1000, 2},
    [FIGURE_P99] = {1000, 2},    [FIGURE_P99_9] = {1000, 2},  [FIGURE_SWITCHES] = {1, 2},
    [FIGURE_GENERATOR] = {1, 1}, [FIGURE_HANDED_ON] = {1, 2},
};

const char *figure_name(enum figure figure)
{
        static const char *const names[FIGURES] = {[FIGURE_RATE] = "sessions/s",
                                                   [FIGURE_CPU] = "server CPU a session",
                                                   [FIGURE_P99] = "p99 of a session"};
        expect(names[figure] != NULL);
        return names[figure];
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

double quotient_of(const struct compare_case *compare_case, enum peer_kind peer, enum peer_kind base,
                   enum figure figure)
{
        const struct shape *shape = &figure_shapes[figure];

        return shown_quotient(spread_of(&compare_case->cells[peer], figure).median / shape->divisor,
                              spread_of(&compare_case->cells[base], figure).median / shape->divisor,
                              shape->decimals);
}

/* ---- targets ------------------------------------------------------------------------------------------- */

static const struct row {
        enum peer_kind base;
        const char *scenario;
        unsigned concurrency;
        enum figure figure;
        struct bound bound;
} rows[] = {
#define TARGET(scenario, concurrency, figure, relation, bound)                                               \
        {PEER_floor, scenario, concurrency, FIGURE_##figure, {relation, bound}},
#define PEER_TARGET(base, scenario, concurrency, figure, relation, bound)                                    \
        {PEER_##base, scenario, concurrency, FIGURE_##figure, {relation, bound}},
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
        struct target target = {.base = row->base, .figure = row->figure, .bound = row->bound};

        target.ratio = ratio_of(comparison, compare_case, PEER_gatepost, row->base, row->figure);
        if (strcmp(row->scenario, compare_case->workload->name) == 0 && target.ratio.median > 0 &&
            (row->concurrency == 0 || row->concurrency == compare_case->concurrency))
                target.state = target_judge(&row->bound, &target.ratio);
        return target;
}
