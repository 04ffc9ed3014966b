/* Next hops have rows of their own up to a bound, and those of several threads are added by their names. */
#include "workers/hop/figures.h"

#include <criterion/criterion.h>

static struct figures_table tables[2];
static struct figures_sum sums[FIGURES_MAX + 1];

/* Its port tells it apart; its weight does not. */
static struct figures *take(struct figures_table *table, uint16_t port, uint32_t weight)
{
        struct next_hop hop = {.protocol = HOP_LMTP, .endpoint.port = port, .weight = weight};

        cr_assert(address_parse(SPAN("192.0.2.1"), &hop.endpoint.address));
        return figures_of(table, &hop);
}

Test(figures, a_next_hop_keeps_its_row)
{
        struct figures *first = take(&tables[0], 1, 1);

        cr_assert_str_eq(first->name, "lmtp://192.0.2.1:1");
        cr_assert_neq(take(&tables[0], 2, 1), first);
        cr_assert_eq(take(&tables[0], 1, 0), first);
}

Test(figures, those_beyond_the_bound_have_one_row_together)
{
        for (uint16_t port = 1; port <= FIGURES_MAX; port++)
                cr_assert_neq(take(&tables[0], port, 1)->name[0], '\0');
        struct figures *others = take(&tables[0], FIGURES_MAX + 1, 1);
        cr_assert_eq(others->name[0], '\0');
        cr_assert_eq(take(&tables[0], FIGURES_MAX + 2, 1), others);
        cr_assert_neq(take(&tables[0], 1, 1), others);
}

Test(figures, threads_are_added_by_name)
{
        size_t count = 0;

        counter_add(&take(&tables[0], 1, 1)->numbers[FIGURE_messages], 1);
        counter_add(&take(&tables[0], 2, 1)->numbers[FIGURE_messages], 10);
        counter_add(&take(&tables[1], 2, 1)->numbers[FIGURE_messages], 100);
        for (uint16_t port = 3; port <= FIGURES_MAX + 1; port++)
                counter_add(&take(&tables[1], port, 1)->numbers[FIGURE_messages], 1000);
        counter_add(&take(&tables[1], 9999, 1)->numbers[FIGURE_messages], 10000);
        figures_add(&tables[0], sums, &count);
        figures_add(&tables[1], sums, &count);
        cr_assert_eq(count, FIGURES_MAX);
        cr_assert_eq(sums[0].numbers[FIGURE_messages], 1);
        cr_assert_eq(sums[1].numbers[FIGURE_messages], 110);
        cr_assert_eq(sums[2].numbers[FIGURE_messages], 1000);
        /* One name has found no place, and another never had one. */
        cr_assert_eq(sums[FIGURES_MAX].numbers[FIGURE_messages], 11000);
}
