/* Looking up in a mapped file of recipients. */
#include "conf/recipients/map.h"

#include "conf/recipients/format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* LMDB wants a transaction for each thread that reads at a time. These are more than threads: 120 workers, HTTP, and
 * some that are aside. */
#define SLOTS 160

struct slot {
        _Alignas(64) _Atomic bool is_taken;
        MDB_txn *txn;
};

struct recipient_map {
        MDB_env *env;
        MDB_dbi tree;
        bool folds;
        struct slot slots[SLOTS];
};

/* ---- opening ------------------------------------------------------------------------------------------- */

static bool fail(char *fault, const char *reason)
{
        snprintf(fault, RECIPIENT_MAP_FAULT_MAX, "%s", reason);
        return false;
}

static bool prove(int file, const struct stat *status, struct recipient_trailer *ret_trailer, char *fault)
{
        const struct recipient_trailer *trailer = ret_trailer;
        off_t at = status->st_size - (off_t)sizeof *trailer;
        XXH128_canonical_t digest;

        if (!S_ISREG(status->st_mode))
                return fail(fault, S_ISDIR(status->st_mode) ? "is a directory" : "is not a regular file");
        if (at < 0 || pread(file, ret_trailer, sizeof *trailer, at) != (ssize_t)sizeof *trailer ||
            memcmp(trailer->magic, RECIPIENT_MAGIC, sizeof RECIPIENT_MAGIC) != 0)
                return fail(fault,
                            "does not end as a file of `gatepost recipients build` does: it is another file, "
                            "or was cut");
        if (trailer->order != RECIPIENT_ORDER)
                return fail(fault, "was built on a machine with another order of octets");
        if (trailer->tree_octets != (uint64_t)at)
                return fail(fault, "is longer or shorter than it was built");
        errno = 0;
        if (!recipient_digest(file, trailer, &digest))
                return fail(fault, errno == 0 ? "was cut while it was read" : strerrordesc_np(errno));
        if (memcmp(&digest, &trailer->digest, sizeof digest) != 0)
                return fail(fault, "is damaged: its digest does not fit");
        return true;
}

/* The tree of the file that was proven: by now another one may have its name. */
static int open_tree(struct recipient_map *map, const char *path, const struct stat *proven, uint64_t octets)
{
        struct stat status;
        int error, file;

        if ((error = mdb_env_create(&map->env)) != 0 ||
            (error = mdb_env_set_mapsize(map->env, octets)) != 0 ||
            (error = mdb_env_open(map->env, path, RECIPIENT_FLAGS | MDB_RDONLY, 0)) != 0 ||
            (error = mdb_env_get_fd(map->env, &file)) != 0)
                return error;
        if (fstat(file, &status) != 0)
                return errno;
        if (status.st_dev != proven->st_dev || status.st_ino != proven->st_ino)
                return EAGAIN;
        for (size_t i = 0; i < SLOTS && error == 0; i++)
                error = mdb_txn_begin(map->env, NULL, MDB_RDONLY, &map->slots[i].txn);
        return error == 0 ? mdb_dbi_open(map->slots[0].txn, NULL, 0, &map->tree) : error;
}

static struct recipient_map *open_proven(const char *path, const struct stat *status,
                                         const struct recipient_trailer *trailer, char *fault)
{
        struct recipient_map *map = aligned_alloc(_Alignof(struct recipient_map), sizeof *map);
        int error = ENOMEM;

        if (map != NULL) {
                memset(map, 0, sizeof *map);
                map->folds = trailer->folds != 0;
                error = open_tree(map, path, status, trailer->tree_octets);
        }
        if (error == 0)
                return map;
        fail(fault, error == EAGAIN ? "was replaced while it was read: try again" : mdb_strerror(error));
        recipient_map_close(map);
        return NULL;
}

struct recipient_map *recipient_map_open(const char *path, char fault[static RECIPIENT_MAP_FAULT_MAX])
{
        struct recipient_trailer trailer;
        struct recipient_map *map = NULL;
        struct stat status;
        int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

        if (file < 0 || fstat(file, &status) != 0)
                fail(fault, strerrordesc_np(errno));
        else if (prove(file, &status, &trailer, fault))
                map = open_proven(path, &status, &trailer, fault);
        if (file >= 0)
                close(file);
        return map;
}

void recipient_map_close(struct recipient_map *map)
{
        if (map == NULL)
                return;
        for (size_t i = 0; i < SLOTS; i++)
                if (map->slots[i].txn != NULL)
                        mdb_txn_abort(map->slots[i].txn);
        if (map->env != NULL)
                mdb_env_close(map->env);
        free(map);
}

bool recipient_map_folds(const struct recipient_map *map)
{
        return map->folds;
}

/* ---- looking up ---------------------------------------------------------------------------------------- */

/* Each thread begins at a place of its own, so that two seldom meet. There is always a free one. */
static struct slot *slot_take(struct recipient_map *map)
{
        static _Atomic unsigned threads;
        static _Thread_local unsigned own;

        if (own == 0)
                own = atomic_fetch_add_explicit(&threads, 1, memory_order_relaxed) + 1;
        for (unsigned i = own;; i++) {
                struct slot *slot = &map->slots[i % SLOTS];
                if (!atomic_exchange_explicit(&slot->is_taken, true, memory_order_acquire))
                        return slot;
        }
}

static enum recipient_answer get(const struct recipient_map *map, struct text *key, MDB_val *ret_value)
{
        MDB_val name = {key->length, key->at};
        struct slot *slot = slot_take((struct recipient_map *)map);
        int error = mdb_get(slot->txn, map->tree, &name, ret_value);

        atomic_store_explicit(&slot->is_taken, false, memory_order_release);
        return error == 0              ? RECIPIENT_KNOWN
               : error == MDB_NOTFOUND ? RECIPIENT_UNKNOWN
                                       : RECIPIENT_UNREADABLE;
}

enum recipient_answer recipient_map_count(const struct recipient_map *map, struct span domain,
                                          uint64_t *ret_count)
{
        char octets[RECIPIENT_KEY_MAX];
        struct text key;
        MDB_val value;

        text_over(&key, octets, sizeof octets);
        text_put_char(&key, RECIPIENT_COUNT_MARK);
        text_put(&key, domain);
        enum recipient_answer answer = get(map, &key, &value);
        if (answer != RECIPIENT_KNOWN)
                return answer;
        if (value.mv_size != sizeof *ret_count)
                return RECIPIENT_UNREADABLE;
        memcpy(ret_count, value.mv_data, sizeof *ret_count);
        return RECIPIENT_KNOWN;
}

enum recipient_answer recipient_map_find(const struct recipient_map *map, struct span domain,
                                         struct span local_part, uint32_t *ret_set)
{
        char octets[RECIPIENT_KEY_MAX];
        uint32_t set = 0;
        struct text key;
        MDB_val value;

        text_over(&key, octets, sizeof octets);
        text_put(&key, domain);
        text_put_char(&key, '@');
        text_put(&key, local_part);
        enum recipient_answer answer = key.overflowed ? RECIPIENT_UNKNOWN : get(map, &key, &value);
        if (answer != RECIPIENT_KNOWN || ret_set == NULL)
                return answer;
        if (value.mv_size != 0 && value.mv_size != sizeof set)
                return RECIPIENT_UNREADABLE;
        memcpy(&set, value.mv_data, value.mv_size);
        *ret_set = set;
        return RECIPIENT_KNOWN;
}

enum recipient_answer recipient_map_settings(const struct recipient_map *map, uint32_t set,
                                             struct span *ret_text)
{
        char octets[1 + sizeof set] = {RECIPIENT_SET_MARK};
        struct text key;
        MDB_val value;

        memcpy(octets + 1, &set, sizeof set);
        text_over(&key, octets, sizeof octets);
        key.length = sizeof octets;
        enum recipient_answer answer = get(map, &key, &value);
        if (answer == RECIPIENT_KNOWN)
                *ret_text = span_of(value.mv_data, value.mv_size);
        return answer;
}
