/* Buckets are kept as the time at which they will be full again, in microseconds: one word, whatever the
 * limit. A new limit counts at once, and finds the bucket as full as it was in proportion. */
#include "core/senders/rates.h"

#include "conf/value/rate.h"
#include "conf/value/value.h"
#include "core/base/expect.h"

#define WORD_PENALTY ((unsigned)RATE_KINDS)
#define WORD_HISTORY (WORD_PENALTY + 1)

_Static_assert(WORD_HISTORY < LEDGER_WORDS, "they fit");

#define LEVEL_MAX      20  /* doublings of a penalty */
#define HISTORY_MAX    255 /* messages that count */
#define HISTORY_FAULT  10  /* messages that one fault takes away */
#define TIME_BITS      40  /* of milliseconds, in the words of penalty and history */
#define TIME_MASK      ((UINT64_C(1) << TIME_BITS) - 1)
#define KIND_BITS      3
#define MS_TO_US(ms)   ((ms)*1000)
#define RATE_MIN(a, b) ((a) < (b) ? (a) : (b))

_Static_assert(RATE_KINDS <= 1 << KIND_BITS && LEVEL_MAX < 1 << (8 - KIND_BITS), "both in 8 bits");

const char *rate_kind_name(enum rate_kind kind)
{
        static const char *const names[RATE_KINDS] = {
            [RATE_CONNECTIONS] = "connections", [RATE_MESSAGES] = "messages",
            [RATE_RECIPIENTS] = "recipients",   [RATE_UNKNOWN_RECIPIENTS] = "unknown_recipients",
            [RATE_ERRORS] = "errors",           [RATE_TRANSACTIONS] = "transactions",
        };
        return names[kind];
}

/* ---- who counts, and how much -------------------------------------------------------------------------- */

void rates_init(struct rates *rates, const struct ledger *ledger, const struct options *options,
                const struct address *client, uint64_t now_ms)
{
        *rates = (struct rates){.ledger = ledger, .options = options, .now_ms = now_ms, .key_count = 1};
        if (!address_is_ipv4(client)) {
                rates->keys[0] = ledger_key_of(ledger, client, (unsigned)options->client_rate_prefix6);
                return;
        }
        rates->keys[0] = ledger_key_of(ledger, client, 128);
        if (options->client_rate_prefix4 == 32)
                return;
        rates->keys[1] = ledger_key_of(ledger, client, 96 + (unsigned)options->client_rate_prefix4);
        rates->key_count = 2;
}

static const struct rate *option_of(const struct options *options, enum rate_kind kind)
{
        switch (kind) {
        case RATE_CONNECTIONS:
                return &options->client_rate_connections;
        case RATE_MESSAGES:
                return &options->client_rate_messages;
        case RATE_RECIPIENTS:
                return &options->client_rate_recipients;
        case RATE_UNKNOWN_RECIPIENTS:
                return &options->client_rate_unknown_recipients;
        case RATE_ERRORS:
                return &options->client_rate_errors;
        case RATE_TRANSACTIONS:
                return &options->client_rate_transactions;
        case RATE_KINDS:
                break;
        }
        expect(false);
}

static struct rate limit_of(const struct rates *rates, enum rate_kind kind, bool is_network)
{
        struct rate limit = *option_of(rates->options, kind);

        if (is_network)
                limit.events *= rates->options->client_rate_network_factor;
        return limit;
}

static bool bring(struct rates *rates, unsigned key, uint64_t keep_ms, struct ledger_place *ret_place)
{
        if (!ledger_bring(rates->ledger, &rates->keys[key], rates->now_ms, keep_ms, ret_place))
                return false;
        rates->displaced += ret_place->has_displaced;
        return true;
}

/* ---- buckets ------------------------------------------------------------------------------------------- */

static uint64_t interval_us(const struct rate *limit)
{
        uint64_t interval = MS_TO_US(limit->window_ms) / limit->events;
        return interval > 0 ? interval : 1;
}

/* Microseconds until the bucket is full: never more than a window, though the limit was another once. */
static uint64_t missing_us(const struct ledger_place *place, uint64_t raw, uint64_t now_us,
                           uint64_t window_us)
{
        uint64_t full_us = ledger_value(place, raw);
        uint64_t missing = full_us > now_us ? full_us - now_us : 0;
        return RATE_MIN(missing, window_us);
}

/* Gives the count within the window, this one included, when it is over the limit; else 0. */
static uint64_t bucket_take(const struct ledger_place *place, enum rate_kind kind, const struct rate *limit,
                            uint64_t events, uint64_t now_us)
{
        uint64_t interval = interval_us(limit), window = MS_TO_US(limit->window_ms);
        uint64_t raw = ledger_load(place, kind);

        for (;;) {
                uint64_t missing = missing_us(place, raw, now_us, window);
                if (missing + events * interval > window)
                        return (missing + interval - 1) / interval + events;
                if (ledger_swap(place, kind, &raw, now_us + missing + events * interval))
                        return 0;
        }
}

static void bucket_drain(const struct ledger_place *place, enum rate_kind kind, const struct rate *limit,
                         uint64_t events, uint64_t now_us)
{
        uint64_t window = MS_TO_US(limit->window_ms), raw = ledger_load(place, kind), missing;

        do {
                missing = missing_us(place, raw, now_us, window) + events * interval_us(limit);
        } while (!ledger_swap(place, kind, &raw, now_us + RATE_MIN(missing, window)));
}

static void bucket_give(const struct ledger_place *place, enum rate_kind kind, uint64_t give_us,
                        uint64_t now_us)
{
        uint64_t raw = ledger_load(place, kind), full_us;

        do {
                full_us = ledger_value(place, raw);
                if (full_us <= now_us)
                        return;
        } while (!ledger_swap(place, kind, &raw, full_us > give_us ? full_us - give_us : 0));
}

/* Index of the first key that is over its limit, or their number. */
static unsigned take(struct rates *rates, enum rate_kind kind, uint64_t events,
                     struct rate_excess *ret_excess)
{
        uint64_t now_us = MS_TO_US(ledger_time(rates->ledger, rates->now_ms));

        for (unsigned i = 0; i < rates->key_count; i++) {
                struct rate limit = limit_of(rates, kind, i > 0);
                struct ledger_place place;
                if (limit.events == 0 || !bring(rates, i, limit.window_ms, &place))
                        continue;
                uint64_t over = bucket_take(&place, kind, &limit, events, now_us);
                if (over == 0)
                        continue;
                *ret_excess = (struct rate_excess){
                    .is_over = true, .is_of_network = i > 0, .kind = kind, .count = over, .limit = limit};
                return i;
        }
        return rates->key_count;
}

bool rates_take(struct rates *rates, enum rate_kind kind, uint64_t events, struct rate_excess *ret_excess)
{
        return take(rates, kind, events, ret_excess) == rates->key_count;
}

void rates_share_taken(struct rates *rates, enum rate_kind kind, uint64_t events)
{
        uint64_t now_us = MS_TO_US(ledger_time(rates->ledger, rates->now_ms));

        for (unsigned i = 0; i < rates->key_count; i++) {
                struct rate limit = limit_of(rates, kind, i > 0);
                struct ledger_place place;
                if (limit.events > 0 && bring(rates, i, limit.window_ms, &place))
                        bucket_drain(&place, kind, &limit, events, now_us);
        }
}

void rates_give_back(struct rates *rates, enum rate_kind kind, uint64_t events)
{
        uint64_t now_us = MS_TO_US(ledger_time(rates->ledger, rates->now_ms));

        for (unsigned i = 0; i < rates->key_count; i++) {
                struct rate limit = limit_of(rates, kind, i > 0);
                struct ledger_place place;
                if (limit.events > 0 && ledger_find(rates->ledger, &rates->keys[i], &place))
                        bucket_give(&place, kind, events * interval_us(&limit), now_us);
        }
}

/* ---- penalties: until when, how many times doubled, what for ------------------------------------------- */

struct penalty {
        uint64_t until_ms; /* of the ledger's time */
        unsigned level;    /* penalties so far, less those forgotten at its end */
        enum rate_kind kind;
};

static struct penalty penalty_unpack(uint64_t value)
{
        return (struct penalty){
            .until_ms = value & TIME_MASK,
            .level = (unsigned)(value >> (TIME_BITS + KIND_BITS)),
            .kind = (enum rate_kind)(value >> TIME_BITS & ((1 << KIND_BITS) - 1)),
        };
}

static uint64_t penalty_pack(const struct penalty *penalty)
{
        return ((uint64_t)penalty->level << KIND_BITS | (uint64_t)penalty->kind) << TIME_BITS |
               (penalty->until_ms & TIME_MASK);
}

static uint64_t penalty_ms(const struct options *options, unsigned level)
{
        uint64_t length = options->client_rate_penalty_ms;

        for (unsigned i = 0; i < level && length < options->client_rate_penalty_max_ms; i++)
                length *= 2;
        return RATE_MIN(length, options->client_rate_penalty_max_ms);
}

/* How many count still. */
static unsigned level_now(const struct penalty *penalty, const struct options *options, uint64_t now_ms)
{
        uint64_t forgotten = (now_ms - penalty->until_ms) / options->client_rate_penalty_forget_ms;
        return forgotten < penalty->level ? penalty->level - (unsigned)forgotten : 0;
}

static uint64_t keep_penalty_ms(const struct options *options, const struct penalty *penalty, uint64_t now_ms)
{
        return penalty->until_ms - now_ms + penalty->level * options->client_rate_penalty_forget_ms;
}

void rates_share_penalty(struct rates *rates, bool of_network, enum rate_kind kind, unsigned level,
                         uint64_t left_ms)
{
        uint64_t now_ms = ledger_time(rates->ledger, rates->now_ms);
        struct penalty shared = {now_ms + left_ms, RATE_MIN(level, LEVEL_MAX), kind};
        struct ledger_place place;

        if (!bring(rates, of_network, keep_penalty_ms(rates->options, &shared, now_ms), &place))
                return;
        uint64_t raw = ledger_load(&place, WORD_PENALTY);
        while (penalty_unpack(ledger_value(&place, raw)).until_ms < shared.until_ms)
                if (ledger_swap(&place, WORD_PENALTY, &raw, penalty_pack(&shared)))
                        return;
}

bool rates_are_clear(struct rates *rates, struct rate_excess *ret_excess)
{
        uint64_t now_ms = ledger_time(rates->ledger, rates->now_ms);

        if (rates->options->client_rate_penalty_ms == 0)
                return true;
        for (unsigned i = 0; i < rates->key_count; i++) {
                struct ledger_place place;
                if (!ledger_find(rates->ledger, &rates->keys[i], &place))
                        continue;
                struct penalty penalty =
                    penalty_unpack(ledger_value(&place, ledger_load(&place, WORD_PENALTY)));
                if (penalty.until_ms <= now_ms)
                        continue;
                *ret_excess = (struct rate_excess){.is_over = true,
                                                   .is_of_network = i > 0,
                                                   .kind = penalty.kind,
                                                   .penalty_ms = penalty.until_ms - now_ms};
                return false;
        }
        return true;
}

/* Twice as long as the last one unless that is forgotten. None when there is one, or penalties are off. */
static void penalise(struct rates *rates, struct rate_excess *excess)
{
        uint64_t now_ms = ledger_time(rates->ledger, rates->now_ms), length;
        struct ledger_place place;
        struct penalty penalty;

        if (rates->options->client_rate_penalty_ms == 0 || !bring(rates, excess->is_of_network, 0, &place))
                return;
        uint64_t raw = ledger_load(&place, WORD_PENALTY);
        do {
                penalty = penalty_unpack(ledger_value(&place, raw));
                if (penalty.until_ms > now_ms)
                        return;
                unsigned level = level_now(&penalty, rates->options, now_ms);
                length = penalty_ms(rates->options, level);
                penalty = (struct penalty){now_ms + length, RATE_MIN(level + 1, LEVEL_MAX), excess->kind};
        } while (!ledger_swap(&place, WORD_PENALTY, &raw, penalty_pack(&penalty)));
        ledger_keep(rates->ledger, &place, rates->now_ms, keep_penalty_ms(rates->options, &penalty, now_ms));
        excess->penalty_ms = length;
        excess->level = penalty.level;
}

bool rates_take_fault(struct rates *rates, enum rate_kind kind, uint64_t events,
                      struct rate_excess *ret_excess)
{
        struct ledger_place place;

        if (!rates_are_clear(rates, ret_excess))
                return false;
        unsigned over = take(rates, kind, events, ret_excess);
        if (over == rates->key_count)
                return true;
        penalise(rates, ret_excess);
        if (ledger_find(rates->ledger, &rates->keys[over], &place))
                bucket_give(&place, kind, UINT64_MAX, MS_TO_US(ledger_time(rates->ledger, rates->now_ms)));
        return false;
}

/* ---- history: how many messages, and when the last one came -------------------------------------------- */

static uint64_t history_now(const struct rates *rates, uint64_t value, uint64_t now_ms)
{
        uint64_t age_ms = now_ms - RATE_MIN(value & TIME_MASK, now_ms);
        return age_ms < rates->options->client_rate_history_lifetime_ms ? value >> TIME_BITS : 0;
}

void rates_note_history(struct rates *rates, uint64_t messages, uint64_t faults)
{
        uint64_t now_ms = ledger_time(rates->ledger, rates->now_ms), value, credit;
        struct ledger_place place;

        if (rates->options->client_rate_history == 0)
                return;
        bool is_there =
            messages > 0 ? bring(rates, 0, 0, &place) : ledger_find(rates->ledger, &rates->keys[0], &place);
        if (!is_there)
                return;
        uint64_t raw = ledger_load(&place, WORD_HISTORY);
        do {
                value = ledger_value(&place, raw);
                credit = RATE_MIN(history_now(rates, value, now_ms) + messages, HISTORY_MAX);
                credit = faults < HISTORY_MAX && credit > faults * HISTORY_FAULT
                             ? credit - faults * HISTORY_FAULT
                             : 0;
                value = credit << TIME_BITS | (messages > 0 ? now_ms : value & TIME_MASK);
        } while (!ledger_swap(&place, WORD_HISTORY, &raw, value));
        if (credit >= rates->options->client_rate_history)
                ledger_keep(rates->ledger, &place, rates->now_ms,
                            rates->options->client_rate_history_lifetime_ms);
}

bool rates_has_good_history(const struct rates *rates)
{
        struct ledger_place place;

        if (rates->options->client_rate_history == 0 || !ledger_find(rates->ledger, &rates->keys[0], &place))
                return false;
        uint64_t value = ledger_value(&place, ledger_load(&place, WORD_HISTORY));
        return history_now(rates, value, ledger_time(rates->ledger, rates->now_ms)) >=
               rates->options->client_rate_history;
}

/* ---- text ---------------------------------------------------------------------------------------------- */

void rate_excess_write(struct text *text, const struct rate_excess *excess, const struct address *client,
                       const struct options *options)
{
        bool is_ipv4 = address_is_ipv4(client);
        uint64_t prefix = is_ipv4 ? options->client_rate_prefix4 : options->client_rate_prefix6;
        struct network network = network_of(client, (unsigned)(is_ipv4 ? 96 + prefix : prefix));
        bool is_network = excess->is_of_network || !is_ipv4;

        text_put_string(text, rate_kind_name(excess->kind));
        if (excess->count > 0) {
                text_put_char(text, ' ');
                text_put_number(text, excess->count);
                text_put(text, SPAN(" of "));
                rate_write(text, &excess->limit);
        }
        text_put(text, SPAN(" from "));
        address_write(text, is_network ? &network.address : client);
        if (is_network) {
                text_put_char(text, '/');
                text_put_number(text, prefix);
        }
        if (excess->penalty_ms > 0) {
                text_put(text, SPAN(", penalty "));
                duration_write(text, (excess->penalty_ms + 999) / 1000 * 1000);
        }
}
