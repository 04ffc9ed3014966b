/* Judging by all rounds, and rounding that contradicts nothing. */
#include "bench/judge.h"

#include "bench/options.h"
#include "core/base/expect.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DECIMALS_MAX 6

static int compare_values(const void *left, const void *right)
{
        double a = *(const double *)left, b = *(const double *)right;
        return (a > b) - (a < b);
}

struct spread spread_over(const double *values, unsigned count)
{
        double sorted[ROUNDS_MAX];

        expect(count <= ROUNDS_MAX);
        if (count == 0)
                return (struct spread){0};
        memcpy(sorted, values, count * sizeof sorted[0]);
        qsort(sorted, count, sizeof sorted[0], compare_values);
        double median = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
        return (struct spread){sorted[0], median, sorted[count - 1]};
}

unsigned round_of_median(const double *values, unsigned rounds)
{
        double median = spread_over(values, rounds).median;
        unsigned nearest = 0;

        for (unsigned i = 1; i < rounds; i++)
                if (fabs(values[i] - median) < fabs(values[nearest] - median))
                        nearest = i;
        return nearest;
}

/* ---- targets ------------------------------------------------------------------------------------------- */

enum target_state target_judge(const struct bound *bound, const struct spread *spread)
{
        bool is_least = bound->relation == AT_LEAST;
        double best = is_least ? spread->high : spread->low, worst = is_least ? spread->low : spread->high;

        if (bound->relation == NO_TARGET)
                return TARGET_NONE;
        if (is_least ? worst >= bound->value : worst <= bound->value)
                return TARGET_MET;
        return (is_least ? best >= bound->value : best <= bound->value) ? TARGET_UNDECIDED : TARGET_MISSED;
}

const char *target_state_name(enum target_state state)
{
        static const char *const names[] = {[TARGET_NONE] = "",
                                            [TARGET_MET] = "met",
                                            [TARGET_MISSED] = "missed",
                                            [TARGET_UNDECIDED] = "undecided"};
        return names[state];
}

/* ---- text ---------------------------------------------------------------------------------------------- */

const char *figure_write(char ret_text[static FIGURE_TEXT_MAX], double figure, unsigned decimals,
                         const struct bound *bound)
{
        for (;; decimals++) {
                snprintf(ret_text, FIGURE_TEXT_MAX, "%.*f", (int)decimals, figure);
                double shown = strtod(ret_text, NULL);
                bool is_beside = (shown < bound->value) == (figure < bound->value) &&
                                 (shown > bound->value) == (figure > bound->value);
                if (bound->relation == NO_TARGET || is_beside || decimals >= DECIMALS_MAX)
                        return ret_text;
        }
}

void bound_write(char *ret_text, size_t size, const struct bound *bound, const char *unit)
{
        static const char *const words[] = {[AT_LEAST] = "at least", [AT_MOST] = "at most"};

        ret_text[0] = '\0';
        if (bound->relation != NO_TARGET)
                snprintf(ret_text, size, "%s %g%s%s", words[bound->relation], bound->value,
                         unit[0] == '\0' ? "" : " ", unit);
}

static double as_shown(double figure, unsigned decimals)
{
        char text[FIGURE_TEXT_MAX];

        snprintf(text, sizeof text, "%.*f", (int)decimals, figure);
        return strtod(text, NULL);
}

double shown_quotient(double figure, double by, unsigned decimals)
{
        double divisor = as_shown(by, decimals);
        return divisor > 0 ? as_shown(figure, decimals) / divisor : 0;
}
