/* What a journal's options come to. */
#include "workers/journal/plan.h"

#include <criterion/criterion.h>

static const struct options defaults = {.journal = "/var/journal",
                                        .journal_dead_letters = "",
                                        .journal_size_octets = 1u << 30,
                                        .journal_segment_octets = 4u << 20,
                                        .journal_lifetime_ms = 5,
                                        .journal_retry_min_ms = 6,
                                        .journal_retry_max_ms = 7,
                                        .journal_in_flight = 8};

Test(journal_plan, options_and_their_defaults)
{
        static struct journal_plan plan;
        struct options options = defaults;

        cr_assert(journal_plan_make(&plan, &options));
        cr_assert_str_eq(plan.settings.path, "/var/journal");
        cr_assert_str_eq(plan.drain.dead_letters, "/var/journal/dead-letters");
        cr_assert_eq(plan.settings.messages_max, 1u << 20);
        cr_assert(plan.drain.lifetime_ms == 5 && plan.drain.retry_min_ms == 6 &&
                  plan.drain.retry_max_ms == 7);
        cr_assert_eq(plan.drain.in_flight_max, 8);
        options.journal_dead_letters = "/var/dead";
        cr_assert(journal_plan_make(&plan, &options));
        cr_assert_str_eq(plan.drain.dead_letters, "/var/dead");
        options.journal = "";
        cr_assert(!journal_plan_make(&plan, &options));
}
