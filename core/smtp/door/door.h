/* What the ladder of load, and the cache of DNS, say of a client that has just connected, before there is a
 * session. */
#pragma once

#include "core/smtp/admit.h"

/* Owner: a thread that accepts. */
struct door {
        struct dns_source *dns; /* that asks nobody; NULL: nothing is known of anybody */
        const struct ledger *ledger;
        /* Its times, ids, rung and counters; nobody else's while the door is asked. */
        struct session_host *host;
        struct block_pool pool;
        uint64_t second;    /* of now_ms, in which ... */
        uint32_t ids_given; /* ... so many reject ids were given: each of them is in the log */
};

#define DOOR_EVIDENCE_MAX 400
#define DOOR_SUBJECT_MAX  256

struct door_refusal {
        enum reply_id reply;
        enum check_id check;          /* CHECK_COUNT: none, the load alone */
        char reject_id[ID_TEXT_SIZE]; /* empty: too many lines are in the log already */
        char subject[DOOR_SUBJECT_MAX], evidence[DOOR_EVIDENCE_MAX]; /* terminated */
};

/* `host` has the time. */
void door_init(struct door *door, struct dns_source *dns, const struct ledger *ledger,
               struct session_host *host);
void door_end(struct door *door);
/* False, and *ret_refusal tells with what: the client is to be sent away, which is counted here. Not for balancers.
 * `is_kept_for_known`: whatever the rung, the places that are left are for known clients. */
bool door_lets_in(struct door *door, const struct snapshot *snapshot, const struct address *client,
                  bool is_kept_for_known, struct door_refusal *ret_refusal);
