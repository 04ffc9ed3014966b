/* "penalty CLIENT address|network KIND LEVEL UNTIL" and "counts CLIENT AT" with a number taken and one given
 * back for each kind; UNTIL and AT in milliseconds since 1970. */
#include "core/senders/rate_notice.h"

#define COUNTS_AGE_MAX_MS 60000 /* older news would count for a time that is over */
#define EVENTS_MAX        100000

/* ---- what is told -------------------------------------------------------------------------------------- */

static void begin(struct text *notice, struct span what, const struct address *client)
{
        text_put(notice, what);
        text_put_char(notice, ' ');
        address_write(notice, client);
        text_put_char(notice, ' ');
}

void rate_notice_write_penalty(struct text *notice, const struct address *client,
                               const struct rate_excess *excess, int64_t wall_ms)
{
        begin(notice, SPAN("penalty"), client);
        text_put_string(notice, excess->is_of_network ? "network " : "address ");
        text_put_string(notice, rate_kind_name(excess->kind));
        text_put_char(notice, ' ');
        text_put_number(notice, excess->level);
        text_put_char(notice, ' ');
        text_put_number(notice, (uint64_t)wall_ms + excess->penalty_ms);
}

void rate_notice_write_counts(struct text *notice, const struct address *client,
                              const struct rate_counts *counts, int64_t wall_ms)
{
        begin(notice, SPAN("counts"), client);
        text_put_number(notice, (uint64_t)wall_ms);
        for (int kind = 0; kind < RATE_KINDS; kind++) {
                text_put_char(notice, ' ');
                text_put_number(notice, counts->taken[kind]);
                text_put_char(notice, ' ');
                text_put_number(notice, counts->given_back[kind]);
        }
}

/* ---- what is heard ------------------------------------------------------------------------------------- */

static bool take_number(struct span *rest, uint64_t *ret_number)
{
        return span_number(span_take_word(rest), ret_number);
}

static bool kind_by_name(struct span name, enum rate_kind *ret_kind)
{
        for (int kind = 0; kind < RATE_KINDS; kind++)
                if (span_equals(name, span_from(rate_kind_name((enum rate_kind)kind)))) {
                        *ret_kind = (enum rate_kind)kind;
                        return true;
                }
        return false;
}

static bool hear_penalty(struct rates *rates, struct span rest, int64_t wall_ms)
{
        struct span whose = span_take_word(&rest);
        bool is_of_network = span_equals(whose, SPAN("network"));
        uint64_t level, until_ms;
        enum rate_kind kind;

        if ((!is_of_network && !span_equals(whose, SPAN("address"))) ||
            !kind_by_name(span_take_word(&rest), &kind) || !take_number(&rest, &level) ||
            !take_number(&rest, &until_ms) || rest.length > 0)
                return false;
        /* Of a prefix of 32 here, networks are nobody. */
        if (until_ms <= (uint64_t)wall_ms || (is_of_network && rates->key_count == 1))
                return true;
        uint64_t left_ms = until_ms - (uint64_t)wall_ms, most_ms = rates->options->client_rate_penalty_max_ms;
        rates_share_penalty(rates, is_of_network, kind, level < 255 ? (unsigned)level : 255,
                            left_ms < most_ms ? left_ms : most_ms);
        return true;
}

static void share_counts(struct rates *rates, const struct rate_counts *counts)
{
        struct rate_excess excess;

        for (int i = 0; i < RATE_KINDS; i++) {
                enum rate_kind kind = (enum rate_kind)i;
                if (counts->given_back[kind] > 0)
                        rates_give_back(rates, kind, counts->given_back[kind]);
                if (counts->taken[kind] == 0)
                        continue;
                /* Faults of many machines together bring a penalty on each of them. */
                if (kind == RATE_UNKNOWN_RECIPIENTS || kind == RATE_ERRORS)
                        rates_take_fault(rates, kind, counts->taken[kind], &excess);
                else
                        rates_share_taken(rates, kind, counts->taken[kind]);
        }
}

/* Machines with an earlier version say nothing of what was counted later. */
static bool hear_counts(struct rates *rates, struct span rest, int64_t wall_ms)
{
        struct rate_counts counts = {0};
        uint64_t at_ms, taken, given_back;

        if (!take_number(&rest, &at_ms))
                return false;
        for (int kind = 0; kind < RATE_KINDS && (kind < RATE_TRANSACTIONS || rest.length > 0); kind++) {
                if (!take_number(&rest, &taken) || !take_number(&rest, &given_back) || taken > EVENTS_MAX ||
                    given_back > EVENTS_MAX)
                        return false;
                counts.taken[kind] = (uint32_t)taken;
                counts.given_back[kind] = (uint32_t)given_back;
        }
        if (rest.length > 0)
                return false;
        /* What was before the ledger began was heard by it as little as its own. */
        uint64_t age_ms = (uint64_t)wall_ms > at_ms ? (uint64_t)wall_ms - at_ms : 0;
        if (age_ms < COUNTS_AGE_MAX_MS && age_ms <= ledger_time(rates->ledger, rates->now_ms))
                share_counts(rates, &counts);
        return true;
}

bool rate_notice_hear(struct span notice, const struct ledger *ledger, const struct options *options,
                      uint64_t now_ms, int64_t wall_ms)
{
        struct span what = span_take_word(&notice);
        struct address client;
        struct rates rates;

        if (!address_parse(span_take_word(&notice), &client))
                return false;
        rates_init(&rates, ledger, options, &client, now_ms);
        if (span_equals(what, SPAN("penalty")))
                return hear_penalty(&rates, notice, wall_ms);
        return span_equals(what, SPAN("counts")) && hear_counts(&rates, notice, wall_ms);
}
