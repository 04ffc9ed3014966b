/* The store of senders in LMDB. Workers read the mapped file, and one thread writes. After a crash a commit
 * is there as a whole or not at all. */
#pragma once

#include "core/senders/sender.h"

#include <lmdb.h>

struct sender_lmdb {
        MDB_env *env;
        MDB_dbi records;
        MDB_dbi texts; /* apart, so that those who look up touch no page of them */
        struct sender_secret secret;
        bool has_secret;  /* false: nobody has written to it since an earlier version */
        bool has_unkeyed; /* it had records before it had a secret */
        uint64_t size;
        /* Owner: the writer. */
        uint32_t random;
        uint8_t sweep_from[SENDER_KEY_SIZE]; /* where the search for expired records goes on */
};

/* Opens the folder. It creates folder and file where they are missing, unless `is_read_only`. Returns 0, an
 * error of LMDB or errno. A process may open a folder once only. */
int sender_lmdb_open(struct sender_lmdb *lmdb, const char *folder, uint64_t size, bool is_read_only);
/* Whether it could be opened, as far as reading tells: 0, also when there is no store yet, or the error. It makes
 * nothing and takes no lock, and another process may use the store. */
int sender_lmdb_look(const char *folder, uint64_t size);
/* NULL when it has none. */
const struct sender_secret *sender_lmdb_secret(const struct sender_lmdb *lmdb);
void sender_lmdb_close(struct sender_lmdb *lmdb);

/* Returns a reader, which one thread at a time may use, or NULL when there are too many. It is to be ended by
 * mdb_txn_abort() before the store is closed. */
MDB_txn *sender_lmdb_reader(struct sender_lmdb *lmdb);
/* Looks a record up. It takes no lock, and touches the disk only where the page is not in memory. */
enum fact sender_lmdb_get(struct sender_lmdb *lmdb, MDB_txn *reader, const struct sender_key *key,
                          struct sender_record *ret_record);

/* The writer calls the following within a transaction of mdb_txn_begin(). Those that return a number return 0
 * or an error of LMDB. */
int sender_lmdb_merge(struct sender_lmdb *lmdb, MDB_txn *txn, const struct sender_effect *effect);
/* It is no error when there is no such record. */
int sender_lmdb_forget(struct sender_lmdb *lmdb, MDB_txn *txn, const struct sender_key *key);
/* Looks at `count` records, from where the last call stopped, and deletes what has expired. */
int sender_lmdb_sweep(struct sender_lmdb *lmdb, MDB_txn *txn, uint32_t now_s, size_t count);
/* True when less than a third of the room is left. */
bool sender_lmdb_is_nearly_full(struct sender_lmdb *lmdb, MDB_txn *txn);
/* Deletes about `count` records at random places. Those that wait for a retry go first, and none that was
 * allowed by hand goes. */
int sender_lmdb_evict(struct sender_lmdb *lmdb, MDB_txn *txn, size_t count);
