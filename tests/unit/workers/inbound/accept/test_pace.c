/* When an acceptor blocks for each connection, and when it naps between bursts. */
#include "workers/inbound/accept/handover.h"
#include "workers/inbound/accept/pace.h"

#include <criterion/criterion.h>

/* `count` connections, so far apart. */
static void accept_some(struct pace *pace, unsigned count, uint64_t gap_us)
{
        static uint64_t now_us = 1000000;

        for (unsigned i = 0; i < count; i++)
                pace_note_accept(pace, now_us += gap_us);
}

static void nap_some(struct pace *pace, unsigned count, uint32_t accepted)
{
        for (unsigned i = 0; i < count; i++)
                pace_note_nap(pace, accepted);
}

Test(pace, begins_slow_and_stays_so_at_a_thousand_a_second)
{
        struct pace pace = {0};

        accept_some(&pace, 1000, 1000);
        cr_expect(!pace.is_fast);
}

Test(pace, sixteen_within_three_milliseconds_make_it_fast)
{
        struct pace pace = {0};

        accept_some(&pace, 15, 100);
        cr_expect(!pace.is_fast);
        accept_some(&pace, 1, 100);
        cr_expect(pace.is_fast);
}

Test(pace, two_a_nap_keep_it_fast)
{
        struct pace pace = {.is_fast = true};

        nap_some(&pace, 10000, 2);
        cr_expect(pace.is_fast);
}

Test(pace, fewer_make_it_slow_after_a_while)
{
        struct pace pace = {.is_fast = true};

        nap_some(&pace, 31, 1);
        cr_expect(pace.is_fast);
        nap_some(&pace, 1, 1);
        cr_expect(!pace.is_fast);
        accept_some(&pace, 15, 100);
        cr_expect(!pace.is_fast, "it begins to count anew");
}

Test(pace, a_rate_between_the_bounds_changes_nothing)
{
        struct pace slow = {0}, fast = {.is_fast = true};

        accept_some(&slow, 3200, 333);
        nap_some(&fast, 3200, 3);
        cr_expect(!slow.is_fast);
        cr_expect(fast.is_fast);
}

Test(choice, the_lower_of_two_workers_is_preferred_up_to_a_sixteenth)
{
        cr_expect(handover_prefers_lower(0, 0));
        cr_expect(handover_prefers_lower(2, 0));
        cr_expect(!handover_prefers_lower(3, 0));
        cr_expect(handover_prefers_lower(852, 800));
        cr_expect(!handover_prefers_lower(853, 800));
        cr_expect(handover_prefers_lower(0, 1000));
}
