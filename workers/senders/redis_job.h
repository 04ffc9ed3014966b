/* Records in Redis: their keys, and the commands that read and merge them. */
#pragma once

#include "workers/senders/store.h"

#include <hiredis/async.h>

#define STATE_PREFIX_MAX 64 /* octets, with a NUL */
#define STATE_NAME_MAX   (STATE_PREFIX_MAX + 2 * sizeof(struct state_key))

/* Merges an effect (core/senders/sender.h), atomically. KEYS[1]; ARGV: the record's octets, the text. */
extern const char state_redis_script[];

/* Gives the length; there is no NUL. */
size_t state_redis_put_key(char ret_name[static STATE_NAME_MAX], const char *prefix,
                           const struct state_key *key);
/* Asks or merges; `script`: by its digest. False: the connection is of no use. */
bool state_redis_send(redisAsyncContext *context, redisCallbackFn *done, struct state_job *job,
                      const char *prefix, const char *script);
/* The answer to a question. */
void state_redis_read(const redisReply *reply, struct state_job *job);
