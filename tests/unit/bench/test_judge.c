/* bench/judge: who meets a target, and figures that say the same. */
#include "bench/judge.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

Test(judge, spread)
{
        struct spread spread = spread_over((const double[]){3, 1, 2, 10}, 4);

        cr_expect(spread.low == 1 && spread.median == 2.5 && spread.high == 10);
        spread = spread_over(NULL, 0);
        cr_expect(spread.low == 0 && spread.median == 0 && spread.high == 0);
}

Test(judge, round_of_the_median)
{
        cr_expect_eq(round_of_median((const double[]){5, 1, 3}, 3), 2);
        cr_expect_eq(round_of_median((const double[]){5, 1, 3, 9}, 4), 0);
        cr_expect_eq(round_of_median((const double[]){7}, 1), 0);
}

Test(judge, rounds_on_both_sides_decide_nothing)
{
        static const struct {
                struct bound bound;
                struct spread spread;
                const char *state;
        } cases[] = {
            {{AT_MOST, 1.5}, {1.2, 1.4, 1.5}, "met"},
            {{AT_MOST, 1.5}, {1.2, 1.4, 1.51}, "undecided"},
            {{AT_MOST, 1.5}, {1.5, 1.6, 1.7}, "undecided"},
            {{AT_MOST, 1.5}, {1.51, 1.6, 1.7}, "missed"},
            {{AT_LEAST, 0.8}, {0.8, 0.9, 1.0}, "met"},
            {{AT_LEAST, 0.8}, {0.79, 0.9, 1.0}, "undecided"},
            {{AT_LEAST, 0.8}, {0.5, 0.7, 0.8}, "undecided"},
            {{AT_LEAST, 0.8}, {0.5, 0.7, 0.79}, "missed"},
            {{AT_MOST, 1.1}, {1.1, 1.1, 1.1}, "met"},
            {{AT_MOST, 1.1}, {1.104, 1.104, 1.104}, "missed"},
            {{NO_TARGET, 0}, {1, 2, 3}, ""},
        };

        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                const char *state = target_state_name(target_judge(&cases[i].bound, &cases[i].spread));
                cr_expect_eq(strcmp(state, cases[i].state), 0, "case %zu: %s", i, state);
        }
}

/* "1.10, at most 1.1, missed" would contradict itself. */
Test(judge, a_figure_is_shown_on_its_side_of_the_bound)
{
        static const struct {
                double figure;
                struct bound bound;
                const char *text;
        } cases[] = {
            {1.104, {AT_MOST, 1.1}, "1.104"},   {1.1, {AT_MOST, 1.1}, "1.10"},
            {1.0999, {AT_MOST, 1.1}, "1.0999"}, {1.096, {AT_MOST, 1.1}, "1.096"},
            {1.094, {AT_MOST, 1.1}, "1.09"},    {0.7996, {AT_LEAST, 0.8}, "0.7996"},
            {1.104, {NO_TARGET, 0}, "1.10"},    {2.98, {AT_MOST, 3}, "2.98"},
            {INFINITY, {AT_MOST, 3}, "inf"},
        };
        char text[FIGURE_TEXT_MAX];

        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                cr_expect_str_eq(figure_write(text, cases[i].figure, 2, &cases[i].bound), cases[i].text);
        bound_write(text, sizeof text, &(struct bound){AT_MOST, 1.1}, "x");
        cr_expect_str_eq(text, "at most 1.1 x");
        bound_write(text, sizeof text, &(struct bound){NO_TARGET, 0}, "x");
        cr_expect_str_eq(text, "");
}

Test(judge, a_quotient_is_that_of_the_figures_as_shown)
{
        cr_expect(shown_quotient(0.349, 0.251, 1) == 1); /* 0.3 and 0.3 */
        cr_expect(fabs(shown_quotient(50.34, 39.26, 1) - 50.3 / 39.3) < 1e-9);
        cr_expect(shown_quotient(5, 0.04, 1) == 0);
        cr_expect(shown_quotient(5, 0, 1) == 0);
}
