/* The store of senders for subcommands. They open it beside a running server, and wait for it. */
#pragma once

#include "workers/senders/lmdb.h"

#include "conf/snapshot.h"

struct redisContext;
struct redis_settings;

struct sender_access {
        struct sender_source source; /* looks up; what is to be remembered is not */
        enum sender_store_kind kind;
        struct sender_lmdb lmdb;
        MDB_txn *reader;
        struct sender_placing placing;
        struct redis_settings *redis;                     /* NULL: it is not open */
        struct redisContext *contexts[SENDER_SHARES_MAX]; /* of its instances; NULL: it cannot be reached */
        struct sender_secret secrets[SENDER_SHARES_MAX];
};

/* Is given a record, and the text that its key is the hash of, which is empty when it is not kept. `context`
 * is the caller's. */
typedef void sender_visit(void *context, const struct sender_key *key, const struct sender_record *record,
                          struct span text);

/* False with the reason on standard error. With `is_read_only` nothing can be stored, as explain wants it. */
bool sender_access_open(struct sender_access *access, const struct snapshot *snapshot, bool is_read_only);
void sender_access_close(struct sender_access *access);
/* These are false, with the reason on standard error, when the store fails. */
bool sender_access_each(struct sender_access *access, sender_visit *visit, void *context);
bool sender_access_merge(struct sender_access *access, const struct sender_effect *effect);
bool sender_access_forget(struct sender_access *access, const struct sender_key *keys, size_t count);
