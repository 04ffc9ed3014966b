/* Buckets, penalties and history of clients. Time is a number. */
#include "core/senders/rates.h"

#include <criterion/criterion.h>

#define MINUTE_MS UINT64_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)

static struct ledger_set sets[4];
static struct ledger ledger;
static struct options options;
static struct address client;
static struct rates rates;

/* At the same moment. */
static void come_from(const char *address)
{
        cr_assert(address_parse(span_from(address), &client));
        rates_init(&rates, &ledger, &options, &client, rates.now_ms);
}

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
            .client_rate_penalty_ms = MINUTE_MS,
            .client_rate_penalty_max_ms = 5 * MINUTE_MS,
            .client_rate_penalty_forget_ms = HOUR_MS,
            .client_rate_history = 20,
            .client_rate_history_lifetime_ms = 24 * HOUR_MS,
        };
        rates.now_ms = 1000;
        come_from("192.0.2.7");
}

static void begin(void)
{
        begin_with(4);
}

TestSuite(rates, .init = begin);

Test(rates, years_pass)
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
        rate_excess_write(&text, &excess, &client, &options);
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

        come_from("2001:db8:0:1::1");
        cr_expect_eq(take_all(RATE_CONNECTIONS), 10);
        come_from("2001:db8:0:1:f::");
        cr_expect(!rates_take(&rates, RATE_CONNECTIONS, 1, &excess));
        text_over(&text, octets, sizeof octets);
        rate_excess_write(&text, &excess, &client, &options);
        cr_expect(span_equals(text_span(&text), SPAN("connections 11 of 10/1m from 2001:db8:0:1::/64")));
        come_from("2001:db8:0:2::1");
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
        static const char *const addresses[] = {"192.0.2.0", "192.0.2.1", "192.0.2.2", "192.0.2.3"};
        for (int i = 0; i < 4; i++) {
                come_from(addresses[i]);
                for (int fault = 0; fault < 3; fault++)
                        cr_expect(rates_take_fault(&rates, RATE_UNKNOWN_RECIPIENTS, 1, &excess));
        }
        come_from("192.0.2.200");
        cr_expect(!rates_take_fault(&rates, RATE_UNKNOWN_RECIPIENTS, 1, &excess));
        cr_expect(excess.is_of_network);
        text_over(&text, octets, sizeof octets);
        rate_excess_write(&text, &excess, &client, &options);
        cr_expect(span_equals(text_span(&text),
                              SPAN("unknown_recipients 13 of 12/1m from 192.0.2.0/24, penalty 1m")));
        come_from("192.0.2.99");
        cr_expect(!rates_are_clear(&rates, &excess));
        come_from("192.0.99.99");
        cr_expect(rates_are_clear(&rates, &excess));
}

Test(rates, without_penalties_limits_still_trip)
{
        struct rate_excess excess;

        options.client_rate_penalty_ms = 0;
        cr_expect(rates_take_fault(&rates, RATE_UNKNOWN_RECIPIENTS, 2, &excess));
        cr_expect(!rates_take_fault(&rates, RATE_UNKNOWN_RECIPIENTS, 1, &excess));
        cr_expect_eq(excess.count, 3);
        cr_expect_eq(excess.penalty_ms, 0);
        cr_expect(rates_are_clear(&rates, &excess));
}

Test(rates, a_shared_penalty_counts_where_it_lasts_longer)
{
        struct rate_excess excess;

        rates_share_penalty(&rates, false, RATE_ERRORS, 3, 2 * MINUTE_MS);
        cr_expect(!rates_are_clear(&rates, &excess));
        cr_expect_eq(excess.penalty_ms, 2 * MINUTE_MS);
        cr_expect_eq(excess.kind, RATE_ERRORS);
        rates_share_penalty(&rates, false, RATE_UNKNOWN_RECIPIENTS, 1, MINUTE_MS);
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
        struct rates friend, harvester, stranger;
        struct address address = client;
        uint32_t displaced = 0;

        begin_with(2);
        rates_note_history(&rates, 30, 0);
        friend = rates;
        come_from("198.51.100.1");
        cr_expect_eq(offend(), MINUTE_MS);
        harvester = rates;
        for (unsigned i = 0; i < 10000; i++) {
                address.octets[12] = 10;
                address.octets[13] = (uint8_t)(i >> 8);
                address.octets[14] = (uint8_t)i;
                rates_init(&stranger, &ledger, &options, &address, rates.now_ms);
                rates_take(&stranger, RATE_CONNECTIONS, 1, &excess);
                displaced += stranger.displaced;
        }
        cr_expect_gt(displaced, 9000);
        cr_expect(rates_has_good_history(&friend));
        cr_expect(!rates_are_clear(&harvester, &excess));
}
