/* Asks sentinels which server is the master of an instance now, one sentinel after the other. It believes none: whoever
 * connects to what was told looks whether that is a master, and rejects it otherwise. */
#pragma once

#include "workers/senders/redis/wire.h"
#include "workers/senders/trouble.h"

struct redis_sentinel {
        struct redis_wire wire; /* first */
        /* Fixed. */
        const struct redis_settings *settings;
        const char *name; /* of the master */
        struct sender_trouble *trouble;

        size_t at;     /* the sentinel that is spoken to, or next */
        bool is_begun; /* a connection was begun, and its end has not been noticed */
        bool is_asked; /* and has not answered */
        bool has_greeted;
        bool must_leave;
        bool has_told; /* of this master, which nobody has taken yet */
        struct endpoint master;
        uint64_t asked_ms, ask_at_ms, backoff_ms;
};

/* Reads the address and the port that a sentinel tells. A name is none: it would have to be asked of DNS. */
bool redis_sentinel_read(const redisReply *reply, struct endpoint *ret_master);

void redis_sentinel_init(struct redis_sentinel *sentinel, const struct redis_settings *settings,
                         const char *name, struct sender_trouble *trouble);
/* Once a turn. `is_served`: there is a master that serves, so that it is in no hurry. */
void redis_sentinel_turn(struct redis_sentinel *sentinel, bool is_served, uint64_t now_ms);
/* True with what was told since the last call, if anything was. */
bool redis_sentinel_take(struct redis_sentinel *sentinel, struct endpoint *ret_master);
/* What was told serves. */
void redis_sentinel_confirm(struct redis_sentinel *sentinel);
/* What was told is no master: another sentinel may know better. */
void redis_sentinel_reject(struct redis_sentinel *sentinel);
/* Returns the milliseconds until there is something to do, without an event. */
uint64_t redis_sentinel_wait_ms(const struct redis_sentinel *sentinel, uint64_t now_ms);
