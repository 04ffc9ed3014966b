/* Writing the tree and its trailer. Keys that come in their order fill page after page. */
#include "conf/recipients/build/tree.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH 65536 /* keys of a transaction: their pages are in memory */
/* Most octets of a tree: half-filled pages, and each key with 10 octets of LMDB's. No memory is taken for them. */
#define SPARE ((uint64_t)64 << 20)

int tree_begin(struct tree *tree, const char *path, uint64_t octets)
{
        int error;

        *tree = (struct tree){0};
        if ((error = mdb_env_create(&tree->env)) != 0 ||
            (error = mdb_env_set_mapsize(tree->env, 4 * octets + SPARE)) != 0 ||
            (error = mdb_env_open(tree->env, path, RECIPIENT_FLAGS | MDB_NOSYNC, 0)) != 0 ||
            (error = mdb_txn_begin(tree->env, NULL, 0, &tree->txn)) != 0)
                return error;
        return mdb_dbi_open(tree->txn, NULL, 0, &tree->dbi);
}

static int commit(struct tree *tree)
{
        int error = mdb_txn_commit(tree->txn);

        tree->txn = NULL;
        tree->waiting = 0;
        return error;
}

static int put_count(struct tree *tree)
{
        char octets[RECIPIENT_KEY_MAX] = {RECIPIENT_COUNT_MARK};
        MDB_val name = {1 + tree->domain_length, octets},
                value = {sizeof tree->domain_count, &tree->domain_count};

        if (tree->domain_count == 0)
                return 0;
        memcpy(octets + 1, tree->domain, tree->domain_length);
        tree->domains++;
        return mdb_put(tree->txn, tree->dbi, &name, &value, 0);
}

static int change_domain(struct tree *tree, struct span domain)
{
        int error = put_count(tree);

        memcpy(tree->domain, domain.at, domain.length);
        tree->domain_length = domain.length;
        tree->domain_count = 0;
        return error;
}

int tree_put_settings(struct tree *tree, uint32_t set, struct span text)
{
        char octets[1 + sizeof set] = {RECIPIENT_SET_MARK};
        MDB_val name = {sizeof octets, octets}, value = {text.length, (char *)text.at};

        memcpy(octets + 1, &set, sizeof set);
        return mdb_put(tree->txn, tree->dbi, &name, &value, 0);
}

int tree_put(struct tree *tree, struct span key, uint32_t set)
{
        MDB_val name = {key.length, (char *)key.at}, value = {set == 0 ? 0 : sizeof set, &set};
        struct span domain = span_of(key.at, span_find(key, '@'));
        int error = 0;

        if (tree->waiting++ == BATCH &&
            ((error = commit(tree)) != 0 || (error = mdb_txn_begin(tree->env, NULL, 0, &tree->txn)) != 0))
                return error;
        if (!span_equals(domain, span_of(tree->domain, tree->domain_length)))
                error = change_domain(tree, domain);
        tree->domain_count++;
        tree->count++;
        return error == 0 ? mdb_put(tree->txn, tree->dbi, &name, &value, MDB_APPEND) : error;
}

void tree_abandon(struct tree *tree)
{
        if (tree->txn != NULL)
                mdb_txn_abort(tree->txn);
        if (tree->env != NULL)
                mdb_env_close(tree->env);
        tree->txn = NULL;
        tree->env = NULL;
}

static int put_trailer(int file, uint64_t count, bool folds)
{
        struct recipient_trailer trailer = {
            .magic = RECIPIENT_MAGIC, .order = RECIPIENT_ORDER, .folds = folds, .count = count};
        struct stat status;

        if (fstat(file, &status) != 0)
                return errno;
        trailer.tree_octets = (uint64_t)status.st_size;
        if (!recipient_digest(file, &trailer, &trailer.digest) ||
            pwrite(file, &trailer, sizeof trailer, status.st_size) != (ssize_t)sizeof trailer ||
            fsync(file) != 0)
                return errno;
        return 0;
}

int tree_end(struct tree *tree, int file, bool folds)
{
        int error = put_count(tree);

        if (error == 0)
                error = commit(tree);
        tree_abandon(tree);
        return error == 0 ? put_trailer(file, tree->count, folds) : error;
}
