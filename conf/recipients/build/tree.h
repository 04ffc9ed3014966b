/* The file of recipients while it is written. Only conf/recipients includes this. All functions return 0, or an error
 * for mdb_strerror(). */
#pragma once

#include "conf/recipients/format.h"

struct tree {
        MDB_env *env;
        MDB_txn *txn;
        MDB_dbi dbi;
        uint64_t waiting;             /* put since the last commit */
        char domain[DOMAIN_NAME_MAX]; /* that of the last key */
        size_t domain_length;
        uint64_t domain_count; /* addresses in it so far */
        uint64_t count, domains;
};

/* In the file `path`, which is empty. `octets`: of all keys. */
int tree_begin(struct tree *tree, const char *path, uint64_t octets);
/* Keys come in their order, none twice. `set`: the number of its settings, or 0. */
int tree_put(struct tree *tree, struct span key, uint32_t set);
/* Settings with this number, from 1 on. */
int tree_put_settings(struct tree *tree, uint32_t set, struct span text);
/* Writes what is left, and the trailer, and waits for the disk. Whatever it returns, the tree has ended. */
int tree_end(struct tree *tree, int file, bool folds);
/* Ends it where it is. */
void tree_abandon(struct tree *tree);
