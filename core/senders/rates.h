/* Rates, penalties and good history of clients, in a ledger. An IPv4 client is an address, and counts for its
 * network too, whose limits are higher; an IPv6 client is a network. Nothing here refuses anybody.
 *
 * A limit of N in a time D is a bucket of N that fills up again within D: somebody quiet may do N things
 * at once, and over any time T nobody does more than N + T * N / D. Against a limit of more than one event
 * in 50 us the count errs by up to one in a hundred. */
#pragma once

#include "conf/snapshot.h"
#include "core/senders/ledger.h"

enum rate_kind {
        RATE_CONNECTIONS,
        RATE_MESSAGES,
        RATE_RECIPIENTS,
        RATE_UNKNOWN_RECIPIENTS,
        RATE_ERRORS,
        RATE_TRANSACTIONS, /* later than the others, which notices of a fleet tell in this order */
        RATE_KINDS
};

/* Whom to count, by which limits, and when. rates_init() sets it; the owner may move now_ms on. */
struct rates {
        const struct ledger *ledger;
        const struct options *options;
        uint64_t now_ms;
        uint32_t displaced; /* clients that were forgotten to make room, so far */
        uint32_t key_count;
        struct ledger_key keys[2]; /* of the client itself, and of its network */
};

/* What was too much, for the log. */
struct rate_excess {
        bool is_over; /* else nothing else is set */
        bool is_of_network;
        enum rate_kind kind;
        uint64_t count;      /* within the window; 0: a penalty that began earlier */
        struct rate limit;   /* whose limit: the network's is multiplied already */
        uint64_t penalty_ms; /* imposed, or what is left of it; 0: none */
        unsigned level;      /* of penalties with this one, when it was imposed now */
};

void rates_init(struct rates *rates, const struct ledger *ledger, const struct options *options,
                const struct address *client, uint64_t now_ms);

/* Returns the name of the option, such as "connections". */
const char *rate_kind_name(enum rate_kind kind);

/* Takes `events` out of the buckets of the client and of its network. False when one of them has not so many;
 * then nothing is taken, and *ret_excess tells what was too much. */
bool rates_take(struct rates *rates, enum rate_kind kind, uint64_t events, struct rate_excess *ret_excess);
/* Does the same for faults. Over the limit a penalty begins, and the bucket is full again. While a penalty
 * lasts faults do not count, and *ret_excess tells of it. */
bool rates_take_fault(struct rates *rates, enum rate_kind kind, uint64_t events,
                      struct rate_excess *ret_excess);
/* Puts `events` back into the buckets, because stored mail makes up for faults. */
void rates_give_back(struct rates *rates, enum rate_kind kind, uint64_t events);

/* Takes out what a client has taken at another machine, or what there is when that is less. */
void rates_share_taken(struct rates *rates, enum rate_kind kind, uint64_t events);
/* Takes over a penalty from another machine: it lasts for at least `left_ms` from now. `level` says how many
 * there were with this one. */
void rates_share_penalty(struct rates *rates, bool of_network, enum rate_kind kind, unsigned level,
                         uint64_t left_ms);
/* False when the client or its network has a penalty, which *ret_excess tells of. */
bool rates_are_clear(struct rates *rates, struct rate_excess *ret_excess);

/* Good history consists of messages that were stored, less ten for each fault. */
void rates_note_history(struct rates *rates, uint64_t messages, uint64_t faults);
bool rates_has_good_history(const struct rates *rates);

/* Appends "unknown_recipients 51 of 50/10m from 192.0.2.7, penalty 1m". */
void rate_excess_write(struct text *text, const struct rate_excess *excess, const struct address *client,
                       const struct options *options);
