/* The store of senders in LMDB: workers read the mapped file, one thread writes. Crash-safe: a commit is
 * whole or not there. */
#pragma once

#include "core/senders/sender.h"

#include <lmdb.h>

struct state_lmdb {
        MDB_env *env;
        MDB_dbi records;
        MDB_dbi texts; /* apart, so that those who look up touch no page of them */
        uint64_t size;
        /* Owner: the writer. */
        uint32_t random;
        uint8_t sweep_from[sizeof(struct state_key)]; /* where the search for expired records goes on */
};

/* Creates the folder and the file where they are missing, unless `is_read_only`. Gives an error of LMDB or
 * errno, 0 when all is well. Each process opens a folder once. */
int state_lmdb_open(struct state_lmdb *lmdb, const char *folder, uint64_t size, bool is_read_only);
void state_lmdb_close(struct state_lmdb *lmdb);

/* For one reading thread at a time. NULL when there are too many. To be given to mdb_txn_abort() before the
 * end. */
MDB_txn *state_lmdb_reader(struct state_lmdb *lmdb);
/* Takes no lock; touches the disk only where the page is not in memory. */
enum fact state_lmdb_get(struct state_lmdb *lmdb, MDB_txn *reader, const struct state_key *key,
                         struct state_record *ret_record);

/* The writer: all within a transaction of mdb_txn_begin(). They give errors of LMDB. */
int state_lmdb_merge(struct state_lmdb *lmdb, MDB_txn *txn, const struct state_effect *effect);
/* Not an error when there is none. */
int state_lmdb_forget(struct state_lmdb *lmdb, MDB_txn *txn, const struct state_key *key);
/* Looks at `count` records, from where the last call stopped, and deletes what has expired. */
int state_lmdb_sweep(struct state_lmdb *lmdb, MDB_txn *txn, uint32_t now_s, size_t count);
/* Whether less than a third of the room is left. */
bool state_lmdb_is_nearly_full(struct state_lmdb *lmdb, MDB_txn *txn);
/* Deletes about `count` records at random places: those that wait for a retry first, none that was allowed by
 * hand. */
int state_lmdb_evict(struct state_lmdb *lmdb, MDB_txn *txn, size_t count);
