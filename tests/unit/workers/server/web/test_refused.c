/* The networks that are refused most: found among many, in memory of fixed size. */
#include "workers/server/web/refused.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const struct refused_prefixes prefixes = {.ipv4 = 120, .ipv6 = 64};

static struct refused refused;
static struct recent recent;

static struct address address(const char *text)
{
        struct address found;

        cr_assert(address_parse(span_from(text), &found), "%s", text);
        return found;
}

static void note(const char *client)
{
        struct address found = address(client);
        recent_note(&recent, &found);
}

static void expect_network(const struct refused_network *found, const char *text, double count)
{
        char octets[64] = "";
        struct text name;

        text_over(&name, octets, sizeof octets - 1);
        network_write(&name, &found->network);
        cr_expect_str_eq(octets, text);
        cr_expect(found->count > count * 0.99 && found->count < count * 1.01, "%s: %f", text, found->count);
}

Test(refused, networks_of_both_families)
{
        const struct refused_network *most[10];

        for (int i = 0; i < 3; i++)
                note("192.0.2.7");
        note("192.0.2.200");
        note("2001:db8:1:2::3");
        note("2001:db8:1:2:ffff::4");
        note("198.51.100.1");
        refused_take(&refused, 0, &recent, prefixes);
        refused_take(&refused, 0, &recent, prefixes);
        cr_assert_eq(refused_most(&refused, most, 10), 3);
        expect_network(most[0], "192.0.2.0/24", 4);
        expect_network(most[1], "2001:db8:1:2::/64", 2);
        expect_network(most[2], "198.51.100.0/24", 1);
        cr_expect_eq(refused_most(&refused, most, 2), 2, "as many as have room");
}

Test(refused, the_heavy_one_among_many_light_ones)
{
        const struct refused_network *most[1];
        char name[32];

        for (unsigned i = 0; i < 20000; i++) {
                snprintf(name, sizeof name, "10.%u.%u.1", i >> 8 & 255, i & 255);
                note(i % 20 == 0 ? "203.0.113.9" : name);
                if (i % 500 == 0)
                        refused_take(&refused, 0, &recent, prefixes);
        }
        refused_take(&refused, 0, &recent, prefixes);
        cr_assert_eq(refused_most(&refused, most, 1), 1);
        cr_expect(most[0]->count >= 1000, "never too few: %f", most[0]->count);
        cr_expect(most[0]->count - most[0]->surplus <= 1000, "%f", most[0]->surplus);
        cr_expect_eq(most[0]->network.address.octets[12], 203);
}

Test(refused, what_was_overwritten_counts_all_the_same)
{
        const struct refused_network *most[1];

        for (unsigned i = 0; i < 10 * RECENT_SIZE; i++)
                note("192.0.2.7");
        refused_take(&refused, 0, &recent, prefixes);
        refused_most(&refused, most, 1);
        expect_network(most[0], "192.0.2.0/24", 10 * RECENT_SIZE);
}

Test(refused, the_past_fades)
{
        const struct refused_network *most[1];

        for (unsigned i = 0; i < 1000; i++)
                note("192.0.2.7");
        note("198.51.100.1");
        refused_take(&refused, 0, &recent, prefixes);
        for (uint64_t minute = 1; minute <= 46; minute++)
                refused_fade(&refused, minute * 60000);
        cr_assert_eq(refused_most(&refused, most, 1), 1);
        cr_expect(most[0]->count > 450 && most[0]->count < 550, "%f", most[0]->count);
        cr_expect_eq(refused.place_count, 1, "who has faded has no place");
}
