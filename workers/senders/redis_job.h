/* Records in Redis: their keys, and the commands that read and merge them. */
#pragma once

#include "workers/senders/store.h"

#include <hiredis/async.h>

#define SENDER_PREFIX_MAX 64 /* octets, with a NUL */
#define SENDER_NAME_MAX   (SENDER_PREFIX_MAX + 2 * sizeof(struct sender_key))

/* A Lua script that merges an effect (core/senders/sender.h) atomically. KEYS[1] is the key; ARGV holds the
 * octets of the record, and the text. */
extern const char sender_redis_script[];

/* Writes the name of a key without a terminator, and returns its length. */
size_t sender_redis_put_key(char ret_name[static SENDER_NAME_MAX], const char *prefix,
                            const struct sender_key *key);
/* Sends the command that asks or merges. `script` is the digest of the script. False when the connection is
 * of no use. */
bool sender_redis_send(redisAsyncContext *context, redisCallbackFn *done, struct sender_job *job,
                       const char *prefix, const char *script);
/* Reads the answer to a question into the job. */
void sender_redis_read(const redisReply *reply, struct sender_job *job);
