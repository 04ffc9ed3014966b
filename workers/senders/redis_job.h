/* Records in Redis: their keys, and the commands that read and merge them. */
#pragma once

#include "workers/senders/store.h"

#include <hiredis/async.h>

#define SENDER_PREFIX_MAX 64 /* octets, with a NUL */
#define SENDER_NAME_MAX   (SENDER_PREFIX_MAX + 2 * sizeof(struct sender_key))

/* Merges an effect (core/senders/sender.h), atomically. KEYS[1]; ARGV: the record's octets, the text. */
extern const char sender_redis_script[];

/* Gives the length; there is no NUL. */
size_t sender_redis_put_key(char ret_name[static SENDER_NAME_MAX], const char *prefix,
                            const struct sender_key *key);
/* Asks or merges; `script`: by its digest. False: the connection is of no use. */
bool sender_redis_send(redisAsyncContext *context, redisCallbackFn *done, struct sender_job *job,
                       const char *prefix, const char *script);
/* The answer to a question. */
void sender_redis_read(const redisReply *reply, struct sender_job *job);
