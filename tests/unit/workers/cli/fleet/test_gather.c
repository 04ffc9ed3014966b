/* Which record of a machine counts, which configuration is that of most, and when all is well. */
#include "workers/cli/fleet/gather.h"

#include <criterion/criterion.h>

#define NOW_S INT64_C(1767225600)
#define ONE   "111111111111"
#define TWO   "222222222222"

static struct fleet_view view;

static void begin(void)
{
        view = (struct fleet_view){.now_s = NOW_S};
}

static void end(void)
{
        fleet_view_end(&view);
}

TestSuite(gather, .init = begin, .fini = end);

/* Told so many seconds ago, of a configuration that came into force so many seconds ago. */
static void add(const char *name, const char *digest, int64_t told_s, int64_t in_force_s)
{
        struct machine_record record = {
            .version = "1", .time_s = NOW_S - told_s, .start_s = 1, .in_force_s = NOW_S - in_force_s};
        char octets[MACHINE_RECORD_MAX];
        struct text line;

        span_copy_cut(span_from(name), record.name, sizeof record.name);
        span_copy_cut(span_from(digest), record.digest, sizeof record.digest);
        text_over(&line, octets, sizeof octets);
        cr_assert(machine_record_write(&record, &line));
        fleet_view_add(&view, span_from(name), text_span(&line));
}

Test(gather, takes_the_newest_of_each_and_sorts)
{
        add("b", ONE, 5, 100);
        add("a", ONE, 1, 100);
        add("b", TWO, 9, 100);
        fleet_view_add(&view, SPAN("b"), SPAN("garbage"));
        fleet_view_judge(&view);
        cr_expect_eq(view.count, 2);
        cr_expect_str_eq(view.machines[0].name, "a");
        cr_expect_str_eq(view.machines[1].record.digest, ONE);
        cr_expect(fleet_view_is_well(&view));
}

Test(gather, prefers_what_can_be_read)
{
        fleet_view_add(&view, SPAN("a"), SPAN("garbage"));
        fleet_view_judge(&view);
        cr_expect_eq(view.unreadable, 1);
        cr_expect_str_empty(view.common);
        cr_expect_not(fleet_view_is_well(&view));
        fleet_view_end(&view);
        begin();
        fleet_view_add(&view, SPAN("a"), SPAN("garbage"));
        add("a", ONE, 1, 1);
        fleet_view_judge(&view);
        cr_expect(fleet_view_is_well(&view));
}

Test(gather, of_nobody_is_not_well)
{
        fleet_view_judge(&view);
        cr_expect_not(fleet_view_is_well(&view));
}

Test(gather, marks_who_runs_another_one)
{
        add("a", TWO, 1, 1);
        add("b", ONE, 1, 100);
        add("c", ONE, 1, 50);
        fleet_view_judge(&view);
        cr_expect_str_eq(view.common, ONE);
        cr_expect_eq(view.configurations, 2);
        cr_expect(view.machines[0].is_other && !view.machines[1].is_other && !view.machines[2].is_other);
        cr_expect_not(fleet_view_is_well(&view));
}

Test(gather, of_two_halves_the_newer_one_is_the_other)
{
        add("a", TWO, 1, 20);
        add("b", ONE, 1, 100);
        fleet_view_judge(&view);
        cr_expect_str_eq(view.common, ONE);
}

Test(gather, counts_those_first_who_speak)
{
        add("a", ONE, 31, 100);
        add("b", ONE, 100, 100);
        add("c", TWO, 30, 1);
        fleet_view_judge(&view);
        cr_expect_str_eq(view.common, TWO);
        cr_expect_eq(view.silent, 2);
}

Test(gather, knows_a_clock_that_is_ahead)
{
        add("a", ONE, -30, 100);
        add("b", ONE, -31, 100);
        fleet_view_judge(&view);
        cr_expect_eq(view.ahead, 1);
        cr_expect(view.machines[1].is_ahead && !view.machines[1].is_silent);
        cr_expect_not(fleet_view_is_well(&view));
}
