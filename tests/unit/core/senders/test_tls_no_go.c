/* Whose handshakes have failed: for how long, and who is forgotten first. */
#include "core/senders/tls_no_go.h"

#include <criterion/criterion.h>

#define HOUR_MS UINT64_C(3600000)

static struct until_set sets[2];
static struct tls_no_go table;

static void begin(void)
{
        memset(sets, 0, sizeof sets);
        tls_no_go_init(&table, sets, sizeof sets[0], 1);
}

TestSuite(tls_no_go, .init = begin);

static struct address address_of(const char *text)
{
        struct address address;
        cr_assert(address_parse(span_from(text), &address));
        return address;
}

static struct address host(uint8_t number)
{
        struct address address = address_of("203.0.113.0");
        address.octets[15] = number;
        return address;
}

Test(tls_no_go, it_lasts_its_time)
{
        struct address client = host(1), other = host(2);

        cr_expect_not(tls_no_go_has(&table, &client, 5000));
        tls_no_go_add(&table, &client, 5000, HOUR_MS);
        cr_expect(tls_no_go_has(&table, &client, 5000));
        cr_expect(tls_no_go_has(&table, &client, 5000 + HOUR_MS));
        cr_expect_not(tls_no_go_has(&table, &client, 5000 + HOUR_MS + 1001));
        cr_expect_not(tls_no_go_has(&table, &other, 5000));
}

Test(tls_no_go, neighbours_are_not_kept_from_tls)
{
        struct address client = address_of("2001:db8::1"), neighbour = address_of("2001:db8::2");

        tls_no_go_add(&table, &client, 1000, HOUR_MS);
        cr_expect(tls_no_go_has(&table, &client, 1000));
        cr_expect_not(tls_no_go_has(&table, &neighbour, 1000));
}

Test(tls_no_go, who_comes_again_takes_no_second_place)
{
        struct address client = host(1), last = host(2);

        for (unsigned i = 0; i < 100; i++)
                tls_no_go_add(&table, &client, 1000 + 1000 * i, HOUR_MS);
        for (unsigned way = 0, used = 0; way < UNTIL_WAYS; way++) {
                used += atomic_load(&sets[0].words[way]) != 0;
                cr_expect_leq(used, 1);
        }
        tls_no_go_add(&table, &last, 1000, HOUR_MS);
        cr_expect(tls_no_go_has(&table, &client, 1000 + HOUR_MS + 99000));
        cr_expect(tls_no_go_has(&table, &last, 1000));
}

Test(tls_no_go, all_are_forgotten)
{
        for (uint8_t i = 0; i < 3; i++) {
                struct address client = host(i);
                tls_no_go_add(&table, &client, 1000, HOUR_MS);
        }
        tls_no_go_forget(&table);
        for (uint8_t i = 0; i < 3; i++) {
                struct address client = host(i);
                cr_expect_not(tls_no_go_has(&table, &client, 1000));
        }
}

Test(tls_no_go, who_would_leave_first_makes_room)
{
        for (uint8_t i = 0; i < UNTIL_WAYS; i++) {
                struct address client = host(i);
                tls_no_go_add(&table, &client, 1000, HOUR_MS + UINT64_C(10000) * i);
        }
        struct address first = host(0), second = host(1), newcomer = host(99);
        tls_no_go_add(&table, &newcomer, 1000, HOUR_MS);
        cr_expect_not(tls_no_go_has(&table, &first, 1000));
        cr_expect(tls_no_go_has(&table, &second, 1000));
        cr_expect(tls_no_go_has(&table, &newcomer, 1000));
        cr_expect_eq(atomic_load(&sets[1].words[0]), 0, "beyond its memory");
}
