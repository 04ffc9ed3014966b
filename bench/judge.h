/* Ranges of rounds, whether they meet a target, and figures in text that agree with what is said of them. */
#pragma once

#include <stddef.h>

struct spread {
        double low, median, high;
};

/* Zeros when there are no values. */
struct spread spread_over(const double *values, unsigned count);

/* The round whose value is the median, or the nearest to it: what else was measured in it belongs beside that
 * value. */
unsigned round_of_median(const double *values, unsigned rounds);

enum relation {
        NO_TARGET,
        AT_LEAST,
        AT_MOST,
};

struct bound {
        enum relation relation;
        double value;
};

enum target_state {
        TARGET_NONE,
        TARGET_MET,
        TARGET_MISSED,
        /* Some rounds meet it and others miss it. */
        TARGET_UNDECIDED,
};

enum target_state target_judge(const struct bound *bound, const struct spread *spread);
/* "met", "missed", "undecided" or "". */
const char *target_state_name(enum target_state state);

#define FIGURE_TEXT_MAX 40

/* Writes the figure with so many decimals, and with more where it would else seem to stand on the other side of
 * the bound, or on it. Returns `ret_text`. */
const char *figure_write(char ret_text[static FIGURE_TEXT_MAX], double figure, unsigned decimals,
                         const struct bound *bound);
/* "at most 1.1 x"; empty without a target. `unit` may be empty. */
void bound_write(char *ret_text, size_t size, const struct bound *bound, const char *unit);
/* What one gets who divides the two figures as they are shown, with so many decimals; 0 where that cannot be
 * done. */
double shown_quotient(double figure, double by, unsigned decimals);
