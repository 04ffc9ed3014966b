/* The store of senders for subcommands: opened beside a running server, and waited for. */
#pragma once

#include "workers/senders/lmdb.h"

#include "conf/snapshot.h"

struct redisContext;

struct state_access {
        struct state_source source; /* looks up; what is to be remembered is not */
        enum state_store_kind kind;
        struct state_lmdb lmdb;
        MDB_txn *reader;
        struct redisContext *redis;
        const char *prefix;
};

/* A record with what its key is the hash of, empty when that is not kept. `context` is the caller's. */
typedef void state_visit(void *context, const struct state_key *key, const struct state_record *record,
                         struct span text);

/* False with the reason on stderr. `is_read_only`: explain stores nothing. */
bool state_access_open(struct state_access *access, const struct snapshot *snapshot, bool is_read_only);
void state_access_close(struct state_access *access);
/* These give false, with the reason on stderr, when the store fails. */
bool state_access_each(struct state_access *access, state_visit *visit, void *context);
bool state_access_merge(struct state_access *access, const struct state_effect *effect);
bool state_access_forget(struct state_access *access, const struct state_key *keys, size_t count);
