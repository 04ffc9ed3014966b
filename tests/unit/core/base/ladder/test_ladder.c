/* The ladder of load: up at once, down a rung at a time, and what each pressure leads to. */
#include "core/base/ladder/ladder.h"

#include <criterion/criterion.h>
#include <string.h>

#define STRESS_AT 80

static struct ladder_load pressed(enum pressure pressure, uint32_t percent)
{
        struct ladder_load load = {.is_full = false};

        load.percents[pressure] = percent;
        return load;
}

static enum rung rung_at(enum pressure pressure, uint32_t percent)
{
        struct ladder ladder = {.rung = RUNG_ease};
        struct ladder_load load = pressed(pressure, percent);

        ladder_look(&ladder, &load, STRESS_AT, 1000);
        return ladder.rung;
}

Test(ladder, connections_lead_to_each_rung_and_full_is_what_those_who_accept_say)
{
        static const struct {
                uint32_t percent;
                enum rung rung;
        } cases[] = {
            {0, RUNG_ease},    {79, RUNG_ease},  {80, RUNG_hurry},  {84, RUNG_hurry},
            {85, RUNG_terse},  {88, RUNG_turn},  {91, RUNG_turn},   {92, RUNG_cached},
            {95, RUNG_cached}, {96, RUNG_known}, {100, RUNG_known},
        };

        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                cr_expect_eq(rung_at(PRESSURE_connections, cases[i].percent), cases[i].rung, "at %u: %s",
                             cases[i].percent, rung_names[rung_at(PRESSURE_connections, cases[i].percent)]);
        struct ladder ladder = {.rung = RUNG_ease};
        const struct ladder_load load = {.is_full = true};
        cr_assert(ladder_look(&ladder, &load, STRESS_AT, 1000));
        cr_assert_eq(ladder.rung, RUNG_full);
}

Test(ladder, no_pressure_leads_higher_than_its_top)
{
        cr_expect_eq(rung_at(PRESSURE_memory, 100), RUNG_terse);
        cr_expect_eq(rung_at(PRESSURE_questions, 100), RUNG_cached);
        cr_expect_eq(rung_at(PRESSURE_deliveries, 100), RUNG_known);
        cr_expect_eq(rung_at(PRESSURE_handshakes, 100), RUNG_turn);
        cr_expect_eq(rung_at(PRESSURE_turns, 100), RUNG_turn);
}

Test(ladder, rungs_are_in_order_and_at_100_there_is_but_full)
{
        for (uint32_t stress_at = 1; stress_at <= 100; stress_at++)
                for (enum rung rung = RUNG_hurry; rung < RUNG_full; rung++)
                        cr_assert_leq(rung_begins_at(rung, stress_at), rung_begins_at(rung + 1, stress_at));
        struct ladder ladder = {.rung = RUNG_ease};
        struct ladder_load load = pressed(PRESSURE_connections, 99);
        cr_assert_not(ladder_look(&ladder, &load, 100, 1000));
}

Test(ladder, down_it_goes_a_rung_at_a_time_and_each_is_kept_for_a_second)
{
        struct ladder ladder = {.rung = RUNG_ease};
        struct ladder_load load = pressed(PRESSURE_deliveries, 96);
        uint64_t now_ms = 1000;

        cr_assert(ladder_look(&ladder, &load, STRESS_AT, now_ms));
        cr_assert_eq(ladder.cause, PRESSURE_deliveries);
        load = pressed(PRESSURE_connections, 0);
        for (enum rung rung = RUNG_known; rung > RUNG_ease; rung--) {
                cr_assert_eq(ladder.rung, rung);
                cr_assert_not(ladder_look(&ladder, &load, STRESS_AT, now_ms));
                cr_assert_not(ladder_look(&ladder, &load, STRESS_AT, now_ms + LADDER_DWELL_MS - 1));
                now_ms += LADDER_DWELL_MS;
                cr_assert(ladder_look(&ladder, &load, STRESS_AT, now_ms));
        }
        cr_assert_eq(ladder.rung, RUNG_ease);
        cr_assert_not(ladder_look(&ladder, &load, STRESS_AT, now_ms + 100000));
}

Test(ladder, what_swings_about_a_threshold_changes_nothing)
{
        struct ladder ladder = {.rung = RUNG_ease};
        uint64_t now_ms = 1000;

        for (int i = 0; i < 100; i++, now_ms += LADDER_DWELL_MS) {
                struct ladder_load load = pressed(PRESSURE_connections, i % 2 == 0 ? 80 : 76);
                cr_assert_eq(ladder_look(&ladder, &load, STRESS_AT, now_ms), i == 0);
        }
        struct ladder_load load = pressed(PRESSURE_connections, 74);
        ladder_look(&ladder, &load, STRESS_AT, now_ms);
        /* It comes back before the second is over, which begins anew then. */
        struct ladder_load again = pressed(PRESSURE_connections, 78);
        cr_assert_not(ladder_look(&ladder, &again, STRESS_AT, now_ms + 900));
        cr_assert_not(ladder_look(&ladder, &load, STRESS_AT, now_ms + 1000));
        cr_assert(ladder_look(&ladder, &load, STRESS_AT, now_ms + 2000));
}

Test(ladder, full_is_left_at_once)
{
        struct ladder ladder = {.rung = RUNG_full};
        struct ladder_load load = pressed(PRESSURE_connections, 94);

        cr_assert(ladder_look(&ladder, &load, STRESS_AT, 1000));
        cr_assert_eq(ladder.rung, RUNG_known);
}

Test(ladder, rungs_have_names)
{
        for (enum rung rung = RUNG_ease; rung < RUNG_COUNT; rung++)
                cr_expect_eq(rung_by_name(rung_names[rung], strlen(rung_names[rung])), rung);
        cr_expect_eq(rung_by_name("hurr", 4), RUNG_COUNT);
}
