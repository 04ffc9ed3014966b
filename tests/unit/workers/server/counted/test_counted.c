/* Counters follow names over reloads. */
#include "workers/server/counted/counted.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define MANY DOMAIN_COUNTERS_MAX

static char names[3 * MANY][16];
static struct dnsbl_zone zones[4][DNSBL_ZONES_MAX];
static struct domain domains[4][MANY];
static struct counted counted;

static struct span name_of(int number)
{
        snprintf(names[number], sizeof names[number], "n%d.example", number);
        return span_from(names[number]);
}

/* A snapshot with these zones, counted as a start would have it. */
static struct snapshot with_zones(int which, int first, int count, int step)
{
        struct snapshot snapshot = {.zones = zones[which], .zone_count = (size_t)count};

        for (int i = 0; i < count; i++) {
                zones[which][i].name = name_of(first + step * i);
                zones[which][i].count_index = (uint8_t)i;
        }
        return snapshot;
}

static struct snapshot with_domains(int which, int first, int count)
{
        struct snapshot snapshot = {.domains = domains[which], .domain_count = (size_t)count};

        for (int i = 0; i < count; i++) {
                domains[which][i].name = name_of(first + i);
                domains[which][i].count_index = (uint8_t)(i + 1 < DOMAIN_COUNTERS_MAX ? i + 1 : 0);
        }
        return snapshot;
}

Test(counted, zones_keep_theirs_in_another_order)
{
        struct snapshot before = with_zones(0, 0, 3, 1), after = with_zones(1, 2, 3, -1);

        counted_inherit(&counted, &before, &after);
        for (int i = 0; i < 3; i++)
                cr_expect_eq(zones[1][i].count_index, 2 - i);
}

Test(counted, a_zone_that_comes_back_finds_its_own_and_a_new_one_takes_nobodys)
{
        struct snapshot first = with_zones(0, 0, 2, 1), second = with_zones(1, 1, 2, 1),
                        third = with_zones(2, 0, 3, 1);

        counted_inherit(&counted, &first, &second);
        cr_expect_eq(zones[1][0].count_index, 1);
        cr_expect_eq(zones[1][1].count_index, 2, "not that of the one that went");
        counted_inherit(&counted, &second, &third);
        for (int i = 0; i < 3; i++)
                cr_expect_eq(zones[2][i].count_index, i);
}

/* Reloads that fail after it leave those in force alone, as often as they come. */
Test(counted, those_in_force_are_never_taken)
{
        struct snapshot in_force = with_zones(0, 0, DNSBL_ZONES_MAX, 1);

        for (int i = 1; i < 5; i++) {
                struct snapshot next = with_zones(1, i * DNSBL_ZONES_MAX, DNSBL_ZONES_MAX, 1);
                bool is_taken[ZONE_COUNTERS_MAX] = {false};
                counted_inherit(&counted, &in_force, &next);
                for (int zone = 0; zone < DNSBL_ZONES_MAX; zone++) {
                        uint8_t index = zones[1][zone].count_index;
                        cr_assert_geq(index, DNSBL_ZONES_MAX, "reload %d", i);
                        cr_assert_not(is_taken[index], "two zones count in one place");
                        is_taken[index] = true;
                }
        }
}

Test(counted, of_too_many_domains_the_last_are_others_until_there_is_room)
{
        struct snapshot before = with_domains(0, 0, MANY), after = with_domains(1, 1, MANY - 1),
                        again = with_domains(2, 1, MANY - 1), last = with_domains(3, 0, 2);

        cr_expect_eq(domains[0][MANY - 1].count_index, DOMAIN_COUNTERS_OTHERS);
        counted_inherit(&counted, &before, &after);
        cr_expect_eq(domains[1][0].count_index, 2, "those that were there keep theirs");
        cr_expect_eq(domains[1][MANY - 2].count_index, DOMAIN_COUNTERS_OTHERS,
                     "the first is in force until then");
        counted_inherit(&counted, &after, &again);
        cr_expect_eq(domains[2][MANY - 2].count_index, 1, "the last one gets what the first one had");
        counted_inherit(&counted, &again, &last);
        cr_expect_eq(domains[3][1].count_index, 2);
        cr_expect_eq(domains[3][0].count_index, DOMAIN_COUNTERS_OTHERS, "all are in force until then");
}

Test(counted, no_domains)
{
        struct snapshot before = with_domains(0, 0, 0), after = with_domains(1, 0, 1);

        counted_inherit(&counted, &before, &after);
        cr_expect_eq(domains[1][0].count_index, 1);
}
