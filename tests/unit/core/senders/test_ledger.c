/* The memory of clients: places, and who has to leave them. */
#include "core/senders/ledger.h"

#include <criterion/criterion.h>

#define MINUTE_MS UINT64_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)

static struct ledger_set sets[4];
static struct ledger ledger;

static void begin_with(size_t set_count)
{
        memset(sets, 0, sizeof sets);
        ledger_init(&ledger, sets, set_count * sizeof sets[0], 1, 1000);
}

static void begin(void)
{
        begin_with(4);
}

TestSuite(ledger, .init = begin);

static struct ledger_key host(uint8_t number)
{
        struct address address;
        cr_assert(address_parse(SPAN("203.0.113.0"), &address));
        address.octets[15] = number;
        return ledger_key_of(&ledger, &address, 128);
}

static struct ledger_place bring(uint8_t number, uint64_t now_ms, uint64_t keep_ms)
{
        struct ledger_key key = host(number);
        struct ledger_place place;
        cr_assert(ledger_bring(&ledger, &key, now_ms, keep_ms, &place));
        return place;
}

static void write_word(const struct ledger_place *place, unsigned word, uint64_t value)
{
        uint64_t raw = ledger_load(place, word);
        cr_assert(ledger_swap(place, word, &raw, value));
}

static uint64_t read_word(const struct ledger_place *place, unsigned word)
{
        return ledger_value(place, ledger_load(place, word));
}

static bool knows(uint8_t number)
{
        struct ledger_key key = host(number);
        struct ledger_place place;
        return ledger_find(&ledger, &key, &place);
}

Test(ledger, a_place_stays_with_its_client)
{
        struct ledger_place place = bring(1, 1000, MINUTE_MS);
        write_word(&place, 3, 12345);
        struct ledger_place again = bring(1, 2000, MINUTE_MS);
        cr_expect_eq(read_word(&again, 3), 12345);
        cr_expect_eq(read_word(&again, 4), 0);
        cr_expect(!knows(2));

        struct address address;
        cr_assert(address_parse(SPAN("203.0.113.1"), &address));
        struct ledger_key wider = ledger_key_of(&ledger, &address, 120);
        cr_expect(!ledger_find(&ledger, &wider, &again), "a network is not its host");
}

Test(ledger, the_least_worth_keeping_has_to_leave)
{
        begin_with(1);
        for (uint8_t i = 0; i < LEDGER_WAYS; i++)
                cr_expect(!bring(i, 1000, (uint64_t)(i + 1) * MINUTE_MS).has_displaced);
        struct ledger_place third = bring(2, 1000, 9 * HOUR_MS);
        cr_expect(bring(100, 2000, 2 * HOUR_MS).has_displaced);
        cr_expect(!knows(0));
        cr_expect(bring(101, 2000, 2 * HOUR_MS).has_displaced);
        cr_expect(!knows(1) && knows(2) && knows(3) && knows(100));
        /* Whose time is over does not count as displaced. */
        cr_expect(!bring(102, HOUR_MS, 2 * HOUR_MS).has_displaced);
        cr_expect(!knows(3) && knows(2));
        write_word(&third, 0, 7);
        cr_expect_eq(read_word(&third, 0), 7);
}

Test(ledger, strangers_do_not_drive_out_who_comes_again)
{
        begin_with(1);
        bring(1, 1000, MINUTE_MS);
        bring(1, 1000, MINUTE_MS);
        for (uint8_t i = 2; i < 200; i++)
                bring(i, 1000, MINUTE_MS);
        cr_expect(knows(1));
}

Test(ledger, words_of_a_former_client_read_as_nothing)
{
        begin_with(1);
        struct ledger_place old = bring(0, 1000, 0);
        uint64_t seen = ledger_load(&old, 5);
        write_word(&old, 5, 99);
        for (uint8_t i = 1; i <= LEDGER_WAYS; i++)
                bring(i, 1000, HOUR_MS);
        cr_assert(!knows(0));
        struct ledger_place place = bring(LEDGER_WAYS, 1000, HOUR_MS);
        cr_assert_eq(place.words, old.words, "in the same place");
        cr_expect_eq(read_word(&place, 5), 0);
        write_word(&place, 5, 1);
        cr_expect_eq(read_word(&old, 5), 0);
        cr_expect(ledger_swap(&old, 5, &seen, 100), "there is nothing to write any more");
        cr_expect_eq(read_word(&place, 5), 1);
}

Test(ledger, a_race_is_told)
{
        struct ledger_place place = bring(1, 1000, HOUR_MS);
        uint64_t seen = ledger_load(&place, 0);
        write_word(&place, 0, 5);
        cr_expect(!ledger_swap(&place, 0, &seen, 6));
        cr_expect_eq(ledger_value(&place, seen), 5);
        cr_expect(ledger_swap(&place, 0, &seen, 6));
        cr_expect_eq(read_word(&place, 0), 6);
}
