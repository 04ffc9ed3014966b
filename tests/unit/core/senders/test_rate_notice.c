/* Notices of a fleet: what is written is heard, and nothing else is. */
#include "core/senders/rate_notice.h"

#include <criterion/criterion.h>

#define WALL_MS   INT64_C(1767225600000)
#define MINUTE_MS UINT64_C(60000)

static struct ledger_set sets[4];
static struct ledger ledger;
static struct options options;
static struct address client;
static struct rates rates;

static void begin(void)
{
        memset(sets, 0, sizeof sets);
        ledger_init(&ledger, sets, sizeof sets, 1, 1000);
        options = (struct options){
            .client_rate_connections = {10, MINUTE_MS},
            .client_rate_unknown_recipients = {50, MINUTE_MS},
            .client_rate_network_factor = 3,
            .client_rate_prefix4 = 24,
            .client_rate_prefix6 = 64,
            .client_rate_penalty_ms = MINUTE_MS,
            .client_rate_penalty_max_ms = 60 * MINUTE_MS,
            .client_rate_penalty_forget_ms = 60 * MINUTE_MS,
        };
        cr_assert(address_parse(SPAN("192.0.2.7"), &client));
        rates_init(&rates, &ledger, &options, &client, 1000);
}

TestSuite(rate_notice, .init = begin);

static bool hear(const char *notice)
{
        return rate_notice_hear(span_from(notice), &ledger, &options, rates.now_ms, WALL_MS);
}

Test(rate_notice, what_is_written_is_heard)
{
        const struct rate_excess excess = {
            .is_over = true, .kind = RATE_ERRORS, .penalty_ms = 5 * MINUTE_MS, .level = 3};
        const struct rate_counts counts = {.taken = {9, UINT32_C(4000000000)}};
        struct rate_excess heard = {0};
        char octets[RATE_NOTICE_MAX];
        struct text notice;

        text_over(&notice, octets, sizeof octets);
        rate_notice_write_penalty(&notice, &client, &excess, WALL_MS);
        cr_assert(!notice.overflowed);
        cr_expect(rate_notice_hear(text_span(&notice), &ledger, &options, rates.now_ms, WALL_MS + 1000));
        cr_expect(!rates_are_clear(&rates, &heard));
        cr_expect_eq(heard.penalty_ms, 5 * MINUTE_MS - 1000);
        cr_expect_eq(heard.kind, RATE_ERRORS);

        notice.length = 0;
        rate_notice_write_counts(&notice, &client, &counts, WALL_MS);
        cr_assert(!notice.overflowed);
        cr_expect(!rate_notice_hear(text_span(&notice), &ledger, &options, rates.now_ms, WALL_MS),
                  "so many messages in a session are no news but nonsense");
        cr_expect(hear("counts 192.0.2.7 1767225600000 9 0 0 0 0 0 0 0 0 0 0 0"));
        cr_expect(rates_take(&rates, RATE_CONNECTIONS, 1, &heard));
        cr_expect(!rates_take(&rates, RATE_CONNECTIONS, 1, &heard), "the eleventh");
}

Test(rate_notice, the_longest_fits)
{
        const struct rate_counts counts = {
            .taken = {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX},
            .given_back = {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX}};
        char octets[RATE_NOTICE_MAX];
        struct text notice;

        cr_assert(address_parse(SPAN("2001:db8:1111:2222:3333:4444:5555:6666"), &client));
        text_over(&notice, octets, sizeof octets);
        rate_notice_write_counts(&notice, &client, &counts, INT64_MAX);
        cr_expect(!notice.overflowed);
}

Test(rate_notice, more_than_the_bucket_holds_empties_it)
{
        struct rate_excess excess;

        cr_expect(hear("counts 192.0.2.7 1767225600000 100000 0 0 0 0 0 0 0 0 0"));
        cr_expect(!rates_take(&rates, RATE_CONNECTIONS, 1, &excess));
        cr_expect_eq(excess.count, 11);
        rates.now_ms += MINUTE_MS / 10;
        cr_expect(rates_take(&rates, RATE_CONNECTIONS, 1, &excess), "it fills up as ever");
}

Test(rate_notice, earlier_versions_do_not_tell_of_transactions)
{
        struct rate_excess excess;

        options.client_rate_transactions = (struct rate){10, MINUTE_MS};
        cr_expect(hear("counts 192.0.2.7 1767225600000 0 0 0 0 0 0 0 0 0 0"));
        cr_expect(rates_take(&rates, RATE_TRANSACTIONS, 1, &excess));
        cr_expect(hear("counts 192.0.2.7 1767225600000 0 0 0 0 0 0 0 0 0 0 9 0"));
        cr_expect(!rates_take(&rates, RATE_TRANSACTIONS, 1, &excess));
        cr_expect_eq(excess.kind, RATE_TRANSACTIONS);
}

Test(rate_notice, counts_from_before_the_beginning_are_not_new)
{
        struct rate_excess excess;

        rates.now_ms += 500;
        cr_expect(hear("counts 192.0.2.7 1767225599499 10 0 0 0 0 0 0 0 0 0"));
        cr_expect(rates_take(&rates, RATE_CONNECTIONS, 1, &excess));
        cr_expect(hear("counts 192.0.2.7 1767225599500 10 0 0 0 0 0 0 0 0 0"));
        cr_expect(!rates_take(&rates, RATE_CONNECTIONS, 1, &excess));
}

Test(rate_notice, networks_that_do_not_count_here_are_nobody)
{
        struct rate_excess excess;

        options.client_rate_prefix4 = 32;
        cr_expect(hear("penalty 192.0.2.7 network errors 1 1767225660000"));
        rates_init(&rates, &ledger, &options, &client, 1000);
        cr_expect(rates_are_clear(&rates, &excess));
        cr_expect(hear("penalty 192.0.2.7 address errors 1 1767225660000"));
        cr_expect(!rates_are_clear(&rates, &excess));
}

Test(rate_notice, other_texts_are_none)
{
        static const char *const texts[] = {
            "",
            " ",
            "penalty",
            "penalty 192.0.2.7",
            "penalty 192.0.2 address errors 1 1767225660000",
            "penalty 192.0.2.7 somebody errors 1 1767225660000",
            "penalty 192.0.2.7 address sins 1 1767225660000",
            "penalty 192.0.2.7 address errors x 1767225660000",
            "penalty 192.0.2.7 address errors 1",
            "penalty 192.0.2.7 address errors 1 -1",
            "penalty 192.0.2.7 address errors 1 1767225660000 2",
            "penalty 192.0.2.7 address errors 1 99999999999999999999",
            "counts 192.0.2.7 1767225600000 9 0 0 0 0 0 0 0 0",
            "counts 192.0.2.7 1767225600000 9 0 0 0 0 0 0 0 0 0 0",
            "counts 192.0.2.7 1767225600000 9 0 0 0 0 0 0 0 0 0 0 0 0",
            "counts 192.0.2.7 1767225600000 9 0 0 0 0 0 0 0 0 100001",
            "counts 192.0.2.7 now 9 0 0 0 0 0 0 0 0 0",
            "pardon 192.0.2.7 address errors 1 1767225660000",
        };
        static struct ledger_set before[4];

        memcpy(before, sets, sizeof sets);
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
                cr_expect(!hear(texts[i]), "%s", texts[i]);
        cr_expect_arr_eq(before, sets, sizeof sets, "nobody is known by them");
}
