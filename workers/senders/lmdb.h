/* The store of senders in LMDB: workers read the mapped file, one thread writes. Crash-safe: a commit is
 * whole or not there. */
#pragma once

#include "core/senders/sender.h"

#include <lmdb.h>

struct sender_lmdb {
        MDB_env *env;
        MDB_dbi records;
        MDB_dbi texts; /* apart, so that those who look up touch no page of them */
        uint64_t size;
        /* Owner: the writer. */
        uint32_t random;
        uint8_t sweep_from[sizeof(struct sender_key)]; /* where the search for expired records goes on */
};

/* Creates the folder and the file where they are missing, unless `is_read_only`. Gives an error of LMDB or
 * errno, 0 when all is well. Each process opens a folder once. */
int sender_lmdb_open(struct sender_lmdb *lmdb, const char *folder, uint64_t size, bool is_read_only);
void sender_lmdb_close(struct sender_lmdb *lmdb);

/* For one reading thread at a time. NULL when there are too many. To be given to mdb_txn_abort() before the
 * end. */
MDB_txn *sender_lmdb_reader(struct sender_lmdb *lmdb);
/* Takes no lock; touches the disk only where the page is not in memory. */
enum fact sender_lmdb_get(struct sender_lmdb *lmdb, MDB_txn *reader, const struct sender_key *key,
                          struct sender_record *ret_record);

/* The writer: all within a transaction of mdb_txn_begin(). They give errors of LMDB. */
int sender_lmdb_merge(struct sender_lmdb *lmdb, MDB_txn *txn, const struct sender_effect *effect);
/* Not an error when there is none. */
int sender_lmdb_forget(struct sender_lmdb *lmdb, MDB_txn *txn, const struct sender_key *key);
/* Looks at `count` records, from where the last call stopped, and deletes what has expired. */
int sender_lmdb_sweep(struct sender_lmdb *lmdb, MDB_txn *txn, uint32_t now_s, size_t count);
/* Whether less than a third of the room is left. */
bool sender_lmdb_is_nearly_full(struct sender_lmdb *lmdb, MDB_txn *txn);
/* Deletes about `count` records at random places: those that wait for a retry first, none that was allowed by
 * hand. */
int sender_lmdb_evict(struct sender_lmdb *lmdb, MDB_txn *txn, size_t count);
