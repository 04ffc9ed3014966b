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
        RATE_KINDS
};

/* Whom to count, by which limits, and when. To be set by rates_init(); now_ms may be moved on. */
struct rates {
        const struct ledger *ledger;
        const struct options *options;
        uint64_t now_ms;
        uint32_t displaced; /* clients that were forgotten to make room, so far */
        uint32_t key_count;
        struct ledger_key keys[2]; /* of the client itself, and of its network */
};

/* What was too much. For logs. */
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

/* As the options are called: "connections". */
const char *rate_kind_name(enum rate_kind kind);

/* Takes `events` out of the bucket. False when there are not so many left: nothing is taken, *ret_excess
 * tells. */
bool rates_take(struct rates *rates, enum rate_kind kind, uint64_t events, struct rate_excess *ret_excess);
/* The same for faults: over the limit a penalty begins, and the bucket is full again. While there is a
 * penalty faults do not count further, and *ret_excess tells of it. */
bool rates_take_fault(struct rates *rates, enum rate_kind kind, uint64_t events,
                      struct rate_excess *ret_excess);
/* Good deeds make up for faults. */
void rates_give_back(struct rates *rates, enum rate_kind kind, uint64_t events);

/* What was taken at another machine: the bucket gives it as far as there is something in it. */
void rates_share_taken(struct rates *rates, enum rate_kind kind, uint64_t events);
/* A penalty that lasts at least so long: how another machine's is taken over. `level`: how many there
 * were. */
void rates_share_penalty(struct rates *rates, bool of_network, enum rate_kind kind, unsigned level,
                         uint64_t left_ms);
/* False: the client, or its network, has a penalty. */
bool rates_are_clear(struct rates *rates, struct rate_excess *ret_excess);

/* Good history: messages that were stored, less ten for each fault. */
void rates_note_history(struct rates *rates, uint64_t messages, uint64_t faults);
bool rates_has_good_history(const struct rates *rates);

/* "unknown_recipients 51 of 50/10m from 192.0.2.7, penalty 1m" */
void rate_excess_write(struct text *text, const struct rate_excess *excess, const struct address *client,
                       const struct options *options);
