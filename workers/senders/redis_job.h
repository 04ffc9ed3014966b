/* Records in Redis: their keys, and the commands that read and merge them. */
#pragma once

#include "workers/senders/store.h"

#include <hiredis/async.h>

#define SENDER_PREFIX_MAX 64 /* octets, with a NUL */
#define SENDER_NAME_MAX   (SENDER_PREFIX_MAX + 2 * SENDER_KEY_SIZE)

/* A Lua script that merges an effect (core/senders/sender.h) atomically. KEYS[1] is the key, and KEYS[2] the
 * one under which earlier versions stored the record, which stays for those that still run; ARGV holds the
 * octets of the record, and the text. */
extern const char sender_redis_script[];

/* The names of a key, with its secret and without, both of this length. */
struct sender_names {
        char keyed[SENDER_NAME_MAX], unkeyed[SENDER_NAME_MAX];
        size_t length;
};

void sender_redis_put_names(struct sender_names *ret_names, const char *prefix, const struct sender_key *key);
/* Writes the name under which the secret lies, without a terminator, and returns its length. */
size_t sender_redis_put_secret_name(char ret_name[static SENDER_NAME_MAX], const char *prefix);
/* Random octets, for the case that the store has no secret yet. */
void sender_secret_choose(uint8_t ret_octets[static SENDER_SECRET_SIZE]);
/* False when the reply holds none. */
bool sender_redis_read_secret(const redisReply *reply, struct sender_secret *ret_secret);
/* Sends the command that asks or merges. `script` is the digest of the script. False when the connection is
 * of no use. */
bool sender_redis_send(redisAsyncContext *context, redisCallbackFn *done, struct sender_job *job,
                       const char *prefix, const char *script);
/* False: it is no record. */
bool sender_redis_read_record(const redisReply *value, struct sender_record *ret_record);
/* Reads the answer to a question. */
enum fact sender_redis_read(const redisReply *reply, struct sender_record *ret_record);
