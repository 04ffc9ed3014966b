/* Places: how many a domain gets, whose turn it is, who has waited too long. */
#include "dns/pool/places.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define MAX 80 /* of which 10 are reserved */

static struct places places;

static void begin(void)
{
        places_init(&places);
}

TestSuite(places, .init = begin);

static uint32_t fill(uint32_t max, uint32_t share)
{
        uint32_t taken = 0;
        for (; places_have_room(&places, max, share); taken++)
                places_take(&places, share);
        return taken;
}

static struct waiting *wait_for(uint32_t share, uint64_t deadline_ms)
{
        struct waiting *item = malloc(sizeof *item);
        *item = (struct waiting){.deadline_ms = deadline_ms, .share = share};
        places_wait(&places, item);
        return item;
}

Test(places, a_few_domains_leave_some_to_others)
{
        cr_expect_eq(fill(MAX, 200), 35);
        cr_expect_eq(fill(MAX, 201), 18);
        cr_expect_eq(fill(MAX, 202), 9);
        for (uint32_t share = 300; share < 304; share++)
                cr_expect_geq(fill(MAX, share), 1, "share %u", share);
        cr_expect_lt(places.taken, MAX - MAX / 8 + 1);
}

Test(places, some_are_reserved_for_what_is_urgent)
{
        for (uint32_t share = URGENT_SHARES; share < SHARES; share++)
                fill(MAX, share);
        cr_expect_eq(places.taken, MAX - MAX / 8);
        cr_expect_eq(fill(MAX, 5), 5);
        cr_expect_eq(fill(MAX, 6), 3);
        cr_expect(!places_have_room(&places, MAX, 200));
}

Test(places, few_are_not_divided)
{
        cr_expect_eq(fill(24, 200), 21);
        cr_expect_eq(fill(24, 5), 3);
}

Test(places, hashes_are_spread_over_their_kind)
{
        for (uint64_t hash = 0; hash < 5000; hash += 7) {
                cr_expect_lt(places_share(hash, true), URGENT_SHARES);
                cr_expect_geq(places_share(hash, false), URGENT_SHARES);
                cr_expect_lt(places_share(hash, false), SHARES);
        }
}

Test(places, domains_take_turns_and_urgent_ones_come_first)
{
        static const uint32_t expected[] = {5, 200, 201, 200, 200};

        fill(MAX, 300);
        for (int i = 0; i < 3; i++)
                wait_for(200, 1000);
        wait_for(201, 1000);
        wait_for(5, 1000);
        cr_expect_eq(places.waiting, 5);
        /* Who comes later does not overtake those of its own domain. */
        cr_expect(!places_have_room(&places, MAX, 200));
        for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
                struct waiting *item = places_next(&places, MAX);
                cr_assert_not_null(item);
                cr_expect_eq(item->share, expected[i]);
                free(item);
        }
        cr_expect_null(places_next(&places, MAX));
        cr_expect_eq(places.waiting, 0);
        cr_expect_eq(places.shares[200].taken, 3);
}

Test(places, a_full_domain_does_not_hold_up_others)
{
        uint32_t taken = fill(MAX, 200);

        struct waiting *greedy = wait_for(200, 1000), *modest = wait_for(201, 1000);
        cr_expect_eq(places_next(&places, MAX), modest);
        cr_expect_null(places_next(&places, MAX));
        for (uint32_t i = 0; i < taken / 2; i++)
                places_give(&places, 200);
        cr_expect_eq(places_next(&places, MAX), greedy);
        free(greedy);
        free(modest);
}

Test(places, who_has_waited_too_long_is_given_back)
{
        uint64_t next_ms;

        cr_expect_null(places_late(&places, 50, &next_ms));
        cr_expect_eq(next_ms, UINT64_MAX);
        struct waiting *first = wait_for(200, 100), *second = wait_for(200, 300), *third = wait_for(5, 200);
        cr_expect_null(places_late(&places, 99, &next_ms));
        cr_expect_eq(next_ms, 100);
        cr_expect_eq(places_late(&places, 100, &next_ms), first);
        cr_expect_eq(places_late(&places, 250, &next_ms), third);
        cr_expect_null(places_late(&places, 250, &next_ms));
        cr_expect_eq(next_ms, 300);
        cr_expect_eq(places_late(&places, 300, &next_ms), second);
        cr_expect_eq(places.waiting, 0);
        cr_expect_null(places_next(&places, MAX));
        /* Nothing of all this has kept a domain from its turn. */
        struct waiting *again = wait_for(200, 900);
        cr_expect_eq(places_next(&places, MAX), again);
        free(first);
        free(second);
        free(third);
        free(again);
}

Test(places, the_same_rule_bounds_those_who_wait)
{
        uint32_t count = 0;

        for (; places_may_wait(&places, MAX, 200); count++)
                wait_for(200, 1000);
        cr_expect_eq(count, 35);
        cr_expect(places_may_wait(&places, MAX, 201) && places_may_wait(&places, MAX, 5));
        cr_expect(!places_may_wait(&places, 0, 201) && !places_may_wait(&places, 0, 5));
        cr_expect(places_are_scarce(&places, MAX, 200) && !places_are_scarce(&places, MAX, 201));
        places.taken = MAX;
        cr_expect(places_are_scarce(&places, MAX, 201));
}
