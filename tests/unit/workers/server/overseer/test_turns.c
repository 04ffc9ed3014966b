/* Turns of workers, as the overseer sees them: stalls are told once, and again when they are over. */
#include "workers/server/overseer/turns.h"

#include <criterion/criterion.h>

#define LOOK_MS 50

/* Looks at one worker's turn until then; returns how often it was told to stall. */
static int look_until(struct turns *turns, uint64_t turn_ms, uint64_t *now_ms, uint64_t until_ms)
{
        uint64_t stalled_ms;
        int stalls = 0;

        for (; *now_ms < until_ms; *now_ms += LOOK_MS) {
                stalls += turns_look(turns, 0, turn_ms, *now_ms, &stalled_ms) == TURN_STALLS;
                turns_end_look(turns, *now_ms);
        }
        return stalls;
}

Test(turns, a_turn_of_two_seconds_is_told_once_and_its_end_too)
{
        struct turns turns;
        uint64_t now_ms = 1000, stalled_ms;

        cr_assert(turns_init(&turns, 1));
        cr_assert_eq(look_until(&turns, 1000, &now_ms, 2900), 0);
        cr_assert_eq(look_until(&turns, 1000, &now_ms, 9000), 1);
        cr_assert_gt(turns_percent(&turns), 80);
        cr_assert_not(turns_go_on(&turns));
        cr_assert_eq(turns_look(&turns, 0, 0, now_ms, &stalled_ms), TURN_IS_OVER);
        cr_assert_geq(stalled_ms, 7900);
        cr_assert(turns_go_on(&turns));
        turns_end_look(&turns, now_ms);
        cr_assert_eq(look_until(&turns, 0, &now_ms, 20000), 0);
        cr_assert_eq(turns_percent(&turns), 0);
        turns_end(&turns);
}

Test(turns, many_short_turns_and_long_sleep_are_no_stall)
{
        struct turns turns;
        uint64_t now_ms = 1000;

        cr_assert(turns_init(&turns, 1));
        for (uint64_t turn_ms = 1000; turn_ms < 60000; turn_ms += 1000)
                cr_assert_eq(look_until(&turns, turn_ms, &now_ms, turn_ms + 1000), 0);
        cr_assert_eq(look_until(&turns, 0, &now_ms, 90000), 0);
        turns_end(&turns);
}

Test(turns, a_process_that_stood_still_blames_nobody)
{
        struct turns turns;
        uint64_t now_ms = 1000, stalled_ms;

        cr_assert(turns_init(&turns, 1));
        cr_assert_eq(look_until(&turns, 1000, &now_ms, 1100), 0);
        now_ms += 3600000;
        cr_assert_eq(turns_look(&turns, 0, 1000, now_ms, &stalled_ms), TURN_GOES_ON);
        turns_end_look(&turns, now_ms);
        cr_assert_eq(turns_look(&turns, 0, now_ms + 1, now_ms + 50, &stalled_ms), TURN_GOES_ON);
        turns_end(&turns);
}
