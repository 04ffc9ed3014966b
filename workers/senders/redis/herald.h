/* What this machine tells the fleet of itself: a record in a hash of Redis, under its name. The main thread makes the
 * record, and the store's thread tells each instance the newest one. Nobody waits for that. */
#pragma once

#include "workers/senders/feed.h"

#define REDIS_MACHINES        "%smachines" /* a format of the hash's key, by the store's prefix */
#define REDIS_RECORD_NAME_MAX 256          /* octets */
#define REDIS_RECORD_MAX      2048         /* the same */

struct redis_record {
        uint64_t number; /* one more than that of the one before; the first is 1; owner: the store's thread */
        size_t name_length, length;
        char name[REDIS_RECORD_NAME_MAX];
        char octets[REDIS_RECORD_MAX];
};

/* At one instance. Owner: the store's thread. */
struct redis_herald {
        /* Fixed. */
        struct sender_trouble *trouble;
        char table[SENDER_FEED_NAME_MAX]; /* the name of the hash */

        uint64_t told;                /* the number of the record that was told last; 0: none */
        bool is_asked;                /* and that has not been answered */
        uint64_t asked_ms, ask_at_ms; /* nothing is told before the second one */
};

void redis_herald_init(struct redis_herald *herald, struct sender_trouble *trouble, const char *prefix);
/* Tells the record, which may be NULL, if it is news. False when the connection is of no use. */
bool redis_herald_turn(struct redis_herald *herald, redisAsyncContext *context,
                       const struct redis_record *record, uint64_t now_ms);
