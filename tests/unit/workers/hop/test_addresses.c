/* Addresses of a next hop that has a name. */
#include "workers/hop/addresses.h"

#include <criterion/criterion.h>

#define LATER_MS 1000000

static struct hop_addresses addresses;

static void begin(void)
{
        addresses = (struct hop_addresses){0};
}

TestSuite(hop_addresses, .init = begin);

static struct address at(const char *text)
{
        struct address address;

        cr_assert(address_parse(span_from(text), &address));
        return address;
}

/* DNS says these octets, `length` each, `count` times, or with 0 that there are none. */
static bool say(enum dns_type type, const char *octets, size_t length, size_t count, uint32_t ttl_s,
                uint64_t now_ms)
{
        struct dns_record records[HOP_ADDRESSES_MAX + 8];

        for (size_t i = 0; i < count; i++)
                records[i] = (struct dns_record){.data = span_of(octets + i * length, length)};
        const struct dns_answer answer = {.fact = count > 0 ? FACT_FOUND : FACT_ABSENT,
                                          .ttl_s = ttl_s,
                                          .record_count = (uint16_t)count,
                                          .records = records};
        return hop_addresses_answer(&addresses, type, &answer, now_ms);
}

static bool fail(enum dns_type type, uint64_t now_ms)
{
        return hop_addresses_answer(&addresses, type, &(struct dns_answer){.fact = FACT_FAILED}, now_ms);
}

static void expect_next(const char *text, uint64_t now_ms)
{
        struct address chosen = hop_addresses_choose(&addresses, now_ms), expected = at(text);
        cr_expect(address_equals(&chosen, &expected), "%s", text);
}

Test(hop_addresses, both_kinds_hold_for_the_shortest_ttl)
{
        cr_expect(hop_addresses_are_due(&addresses, 0));
        hop_addresses_begin(&addresses);
        cr_expect_not(hop_addresses_are_due(&addresses, LATER_MS), "they are asked for");
        cr_expect_not(say(DNS_A, "\xc0\0\2\1\xc0\0\2\2", 4, 2, 300, 0));
        cr_expect(hop_addresses_are_asked(&addresses));
        cr_expect(say(DNS_AAAA, "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16, 1, 60, 0));
        cr_expect_not(say(DNS_AAAA, "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16, 1, 60, 0),
                      "nobody has asked");
        cr_assert_eq(addresses.count, 3);
        cr_expect_not(hop_addresses_are_due(&addresses, 59999));
        cr_expect(hop_addresses_are_due(&addresses, 60000));
        const char *const turns[] = {"192.0.2.1", "192.0.2.2", "2001:db8::1", "192.0.2.1"};
        for (size_t i = 0; i < 4; i++)
                expect_next(turns[i], 0);
}

Test(hop_addresses, how_long_one_kind_is_absent_says_nothing_of_the_other)
{
        hop_addresses_begin(&addresses);
        say(DNS_AAAA, "", 16, 0, 1, 0);
        say(DNS_A, "\xc0\0\2\1", 4, 1, 300, 0);
        cr_expect_not(hop_addresses_are_due(&addresses, 299999));
        hop_addresses_begin(&addresses);
        say(DNS_AAAA, "", 16, 0, 86400, 0);
        say(DNS_A, "", 4, 0, 86400, 0);
        cr_expect_eq(addresses.count, 0);
        cr_expect_str_eq(addresses.fault, "its name has no address");
        cr_expect(hop_addresses_are_due(&addresses, 60000));
}

Test(hop_addresses, last_known_ones_serve_while_dns_fails)
{
        hop_addresses_begin(&addresses);
        say(DNS_A, "\xc0\0\2\1", 4, 1, 5, 0);
        fail(DNS_AAAA, 0);
        cr_expect_eq(addresses.count, 1);
        hop_addresses_begin(&addresses);
        fail(DNS_A, 5000);
        cr_expect(fail(DNS_AAAA, 5000));
        cr_expect_eq(addresses.count, 1);
        cr_expect_not(hop_addresses_are_due(&addresses, 34999));
        cr_expect(hop_addresses_are_due(&addresses, 35000));
        begin();
        hop_addresses_begin(&addresses);
        fail(DNS_A, 0);
        say(DNS_AAAA, "", 16, 0, 300, 0);
        cr_expect_str_eq(addresses.fault, "DNS does not answer for its name");
        cr_expect(hop_addresses_are_due(&addresses, 1000));
}

Test(hop_addresses, those_that_are_down_are_tried_last)
{
        struct address first = at("192.0.2.1"), second = at("192.0.2.2"), stranger = at("192.0.2.9");

        hop_addresses_begin(&addresses);
        say(DNS_A, "\xc0\0\2\1\xc0\0\2\2", 4, 2, 300, 0);
        say(DNS_AAAA, "", 16, 0, 300, 0);
        cr_expect(hop_addresses_fail(&addresses, &first, 100, 0));
        for (int i = 0; i < 3; i++)
                expect_next("192.0.2.2", 0);
        hop_addresses_begin(&addresses);
        say(DNS_A, "\xc0\0\2\2\xc0\0\2\1", 4, 2, 300, 0);
        say(DNS_AAAA, "", 16, 0, 300, 0);
        expect_next("192.0.2.2", 99);
        expect_next("192.0.2.2", 99);
        cr_expect(hop_addresses_fail(&addresses, &stranger, 200, 99));
        cr_expect_not(hop_addresses_fail(&addresses, &second, 200, 99), "none is left");
        expect_next("192.0.2.1", 99);
        expect_next("192.0.2.2", 99);
        expect_next("192.0.2.1", 150);
        expect_next("192.0.2.1", 150);
}

Test(hop_addresses, more_than_there_is_room_for_and_odd_records)
{
        static const char many[4 * (HOP_ADDRESSES_MAX + 8)];

        hop_addresses_begin(&addresses);
        say(DNS_A, many, 4, HOP_ADDRESSES_MAX + 8, 300, 0);
        say(DNS_AAAA, many, 5, 1, 300, 0);
        cr_expect_eq(addresses.count, HOP_ADDRESSES_MAX);
        expect_next("0.0.0.0", 0);
}
