/* The memory of clients: places and who has to leave them, buckets, penalties, history. Time is a number. */
#include "core/state/rates.h"

#include <criterion/criterion.h>

#define MINUTE_MS UINT64_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)

static struct ledger_set sets[4];
static struct ledger ledger;
static struct options options;
static struct rates rates;

static void begin_with(size_t set_count)
{
        memset(sets, 0, sizeof sets);
        ledger_init(&ledger, sets, set_count * sizeof sets[0], 1, 1000);
        options = (struct options){
            .client_rate_connections = {10, MINUTE_MS},
            .client_rate_unknown_recipients = {2, MINUTE_MS},
            .client_rate_network_factor = 3,
            .client_rate_prefix4 = 24,
            .client_rate_prefix6 = 64,
            .client_rate_penalty = MINUTE_MS,
            .client_rate_penalty_max = 5 * MINUTE_MS,
            .client_rate_penalty_forget = HOUR_MS,
            .client_rate_history = 20,
            .client_rate_history_lifetime = 24 * HOUR_MS,
        };
        rates = (struct rates){.ledger = &ledger, .options = &options, .now_ms = 1000};
        cr_assert(address_parse(SPAN("192.0.2.7"), &rates.client));
}

static void begin(void)
{
        begin_with(4);
}

TestSuite(ledger, .init = begin);
TestSuite(rates, .init = begin);

static struct network host(uint8_t number)
{
        struct network network = {.prefix = 128};
        cr_assert(address_parse(SPAN("203.0.113.0"), &network.address));
        network.address.octets[15] = number;
        return network;
}

static struct ledger_place bring(uint8_t number, uint64_t now_ms, uint64_t keep_ms)
{
        struct network network = host(number);
        struct ledger_place place;
        cr_assert(ledger_bring(&ledger, &network, now_ms, keep_ms, &place));
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
        struct network network = host(number);
        struct ledger_place place;
        return ledger_find(&ledger, &network, &place);
}

/* ---- places */

Test(ledger, a_place_stays_with_its_client)
{
        struct ledger_place place = bring(1, 1000, MINUTE_MS);
        write_word(&place, 3, 12345);
        struct ledger_place again = bring(1, 2000, MINUTE_MS);
        cr_expect_eq(read_word(&again, 3), 12345);
        cr_expect_eq(read_word(&again, 4), 0);
        cr_expect(!knows(2));

        struct network wider = host(1);
        wider.prefix = 120;
        wider.address.octets[15] = 0;
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

Test(ledger, years_pass)
{
        uint64_t late_ms = UINT64_C(3) * 365 * 24 * HOUR_MS;
        rates.now_ms = late_ms;
        struct rate_excess excess;
        for (int i = 0; i < 10; i++)
                cr_expect(rates_take(&rates, RATE_CONNECTIONS, 1, &excess));
        cr_expect(!rates_take(&rates, RATE_CONNECTIONS, 1, &excess));
        cr_expect_eq(ledger_time(&ledger, 10), 0, "nothing is before the beginning");
}

/* ---- buckets */

static uint64_t take_all(enum rate_kind kind)
{
        struct rate_excess excess;
        uint64_t taken = 0;
        while (taken < 2000000 && rates_take(&rates, kind, 1, &excess))
                taken++;
        return taken;
}

Test(rates, a_bucket_holds_its_limit_and_fills_up_in_its_window)
{
        static const struct {
                struct rate limit;
                uint64_t error; /* in the count */
        } cases[] = {
            {{1, 1000}, 0},
            {{7, MINUTE_MS}, 0},
            {{100, MINUTE_MS}, 0},
            {{3, 7 * 24 * HOUR_MS}, 0},
            {{1000, 10 * MINUTE_MS}, 0},
            {{20000, 1000}, 0},
            {{999999, MINUTE_MS}, 20000},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                uint64_t events = cases[i].limit.events, window = cases[i].limit.window_ms;
                begin();
                options.client_rate_connections = cases[i].limit;
                uint64_t taken = take_all(RATE_CONNECTIONS);
                cr_expect(taken >= events && taken <= events + cases[i].error, "%zu: %ju", i,
                          (uintmax_t)taken);
                rates.now_ms += window / 2;
                taken = take_all(RATE_CONNECTIONS);
                cr_expect(taken >= events / 2 && taken <= events / 2 + cases[i].error, "%zu: %ju", i,
                          (uintmax_t)taken);
                rates.now_ms += 2 * window;
                taken = take_all(RATE_CONNECTIONS);
                cr_expect(taken >= events && taken <= events + cases[i].error, "%zu: %ju", i,
                          (uintmax_t)taken);
        }
}

Test(rates, excess_tells_limit_count_and_window)
{
        char octets[200];
        struct rate_excess excess;
        struct text text;

        cr_expect(rates_take(&rates, RATE_CONNECTIONS, 8, &excess));
        cr_expect(!rates_take(&rates, RATE_CONNECTIONS, 3, &excess));
        text_over(&text, octets, sizeof octets);
        rate_excess_write(&text, &excess, &rates.client, &options);
        cr_expect(span_equals(text_span(&text), SPAN("connections 11 of 10/1m from 192.0.2.7")));
        cr_expect(rates_take(&rates, RATE_CONNECTIONS, 2, &excess), "what was refused was not taken");
        rates_give_back(&rates, RATE_CONNECTIONS, 4);
        cr_expect_eq(take_all(RATE_CONNECTIONS), 4);
        rates_give_back(&rates, RATE_CONNECTIONS, 1000);
        cr_expect_eq(take_all(RATE_CONNECTIONS), 10, "no more than the limit");
}

Test(rates, kinds_are_counted_apart_and_off_is_any_number)
{
        options.client_rate_messages = (struct rate){0};
        options.client_rate_recipients = (struct rate){5, MINUTE_MS};
        cr_expect_eq(take_all(RATE_CONNECTIONS), 10);
        cr_expect_eq(take_all(RATE_RECIPIENTS), 5);
        cr_expect_eq(take_all(RATE_MESSAGES), 2000000);
}

Test(rates, an_ipv6_network_is_one_client)
{
        char octets[200];
        struct rate_excess excess;
        struct text text;

        address_parse(SPAN("2001:db8:0:1::1"), &rates.client);
        cr_expect_eq(take_all(RATE_CONNECTIONS), 10);
        address_parse(SPAN("2001:db8:0:1:f::"), &rates.client);
        cr_expect(!rates_take(&rates, RATE_CONNECTIONS, 1, &excess));
        text_over(&text, octets, sizeof octets);
        rate_excess_write(&text, &excess, &rates.client, &options);
        cr_expect(span_equals(text_span(&text), SPAN("connections 11 of 10/1m from 2001:db8:0:1::/64")));
        address_parse(SPAN("2001:db8:0:2::1"), &rates.client);
        cr_expect_eq(take_all(RATE_CONNECTIONS), 10);
}

/* ---- penalties */

/* Faults until there is a penalty; gives its length. */
static uint64_t offend(void)
{
        struct rate_excess excess;
        for (int i = 0; i < 100; i++)
                if (!rates_take_fault(&rates, RATE_UNKNOWN_RECIPIENTS, 1, &excess))
                        return excess.count == 3 ? excess.penalty_ms : 0;
        return 0;
}

Test(rates, penalties_double_and_are_forgotten)
{
        static const unsigned minutes[] = {1, 2, 4, 5, 5};
        struct rate_excess excess;

        for (size_t i = 0; i < sizeof minutes / sizeof minutes[0]; i++) {
                cr_expect(rates_are_clear(&rates, &excess));
                cr_expect_eq(offend(), minutes[i] * MINUTE_MS, "%zu", i);
                cr_expect(!rates_are_clear(&rates, &excess));
                cr_expect_eq(excess.penalty_ms, minutes[i] * MINUTE_MS);
                cr_expect_eq(excess.kind, RATE_UNKNOWN_RECIPIENTS);
                rates.now_ms += minutes[i] * MINUTE_MS;
        }
        /* Five doublings: three are forgotten in three hours. */
        rates.now_ms += 3 * HOUR_MS;
        cr_expect_eq(offend(), 4 * MINUTE_MS);
        rates.now_ms += 100 * HOUR_MS;
        cr_expect_eq(offend(), MINUTE_MS);
}

Test(rates, during_a_penalty_faults_prolong_nothing)
{
        struct rate_excess excess;

        cr_expect_eq(offend(), MINUTE_MS);
        rates.now_ms += 30000;
        for (int i = 0; i < 50; i++)
                cr_expect(!rates_take_fault(&rates, RATE_UNKNOWN_RECIPIENTS, 1, &excess));
        cr_expect_eq(excess.penalty_ms, 30000);
        cr_expect_eq(excess.count, 0);
        rates.now_ms += 30000;
        cr_expect(rates_are_clear(&rates, &excess));
}

Test(rates, a_network_is_penalised_for_its_addresses)
{
        struct rate_excess excess = {0};
        char octets[200];
        struct text text;

        options.client_rate_unknown_recipients.events = 4;
        for (uint8_t i = 0; i < 4; i++) {
                rates.client.octets[15] = i;
                for (int fault = 0; fault < 3; fault++)
                        cr_expect(rates_take_fault(&rates, RATE_UNKNOWN_RECIPIENTS, 1, &excess));
        }
        rates.client.octets[15] = 200;
        cr_expect(!rates_take_fault(&rates, RATE_UNKNOWN_RECIPIENTS, 1, &excess));
        cr_expect(excess.is_of_network);
        text_over(&text, octets, sizeof octets);
        rate_excess_write(&text, &excess, &rates.client, &options);
        cr_expect(span_equals(text_span(&text),
                              SPAN("unknown_recipients 13 of 12/1m from 192.0.2.0/24, penalty 1m")));
        rates.client.octets[15] = 99;
        cr_expect(!rates_are_clear(&rates, &excess));
        rates.client.octets[14] = 99;
        cr_expect(rates_are_clear(&rates, &excess));
}

Test(rates, without_penalties_limits_still_trip)
{
        struct rate_excess excess;

        options.client_rate_penalty = 0;
        cr_expect(rates_take_fault(&rates, RATE_UNKNOWN_RECIPIENTS, 2, &excess));
        cr_expect(!rates_take_fault(&rates, RATE_UNKNOWN_RECIPIENTS, 1, &excess));
        cr_expect_eq(excess.count, 3);
        cr_expect_eq(excess.penalty_ms, 0);
        cr_expect(rates_are_clear(&rates, &excess));
}

Test(rates, a_shared_penalty_counts_where_it_lasts_longer)
{
        struct network network = network_of(&rates.client, 128);
        struct rate_excess excess;

        rates_share_penalty(&rates, &network, RATE_ERRORS, 3, 2 * MINUTE_MS);
        cr_expect(!rates_are_clear(&rates, &excess));
        cr_expect_eq(excess.penalty_ms, 2 * MINUTE_MS);
        cr_expect_eq(excess.kind, RATE_ERRORS);
        rates_share_penalty(&rates, &network, RATE_UNKNOWN_RECIPIENTS, 1, MINUTE_MS);
        rates_are_clear(&rates, &excess);
        cr_expect_eq(excess.penalty_ms, 2 * MINUTE_MS);
        rates.now_ms += 2 * MINUTE_MS;
        cr_expect_eq(offend(), 5 * MINUTE_MS, "the fourth");
}

/* ---- history */

Test(rates, good_history_is_earned_lost_and_forgotten)
{
        rates_note_history(&rates, 19, 0);
        cr_expect(!rates_has_good_history(&rates));
        rates_note_history(&rates, 1, 0);
        cr_expect(rates_has_good_history(&rates));
        rates_note_history(&rates, 9, 1);
        cr_expect(!rates_has_good_history(&rates), "29 - 10");
        rates_note_history(&rates, 1000, 0);
        rates_note_history(&rates, 0, 23);
        cr_expect(rates_has_good_history(&rates), "255 - 230");
        rates_note_history(&rates, 0, 1);
        cr_expect(!rates_has_good_history(&rates));
        rates_note_history(&rates, 40, 0);
        rates_note_history(&rates, 0, UINT32_MAX);
        cr_expect(!rates_has_good_history(&rates));

        rates_note_history(&rates, 40, 0);
        rates.now_ms += 24 * HOUR_MS - 1;
        cr_expect(rates_has_good_history(&rates));
        rates.now_ms += 1;
        cr_expect(!rates_has_good_history(&rates));
        rates_note_history(&rates, 1, 0);
        cr_expect(!rates_has_good_history(&rates), "what was forgotten does not come back");
        options.client_rate_history = 0;
        cr_expect(!rates_has_good_history(&rates));
}

Test(rates, history_and_penalty_outlast_a_flood)
{
        struct rate_excess excess;
        struct rates friend, stranger;

        begin_with(2);
        rates_note_history(&rates, 30, 0);
        friend = rates;
        address_parse(SPAN("198.51.100.1"), &rates.client);
        cr_expect_eq(offend(), MINUTE_MS);
        stranger = rates;
        for (unsigned i = 0; i < 10000; i++) {
                stranger.client.octets[12] = 10;
                stranger.client.octets[13] = (uint8_t)(i >> 8);
                stranger.client.octets[14] = (uint8_t)i;
                rates_take(&stranger, RATE_CONNECTIONS, 1, &excess);
        }
        cr_expect_gt(stranger.displaced, 9000);
        cr_expect(rates_has_good_history(&friend));
        cr_expect(!rates_are_clear(&rates, &excess));
}
