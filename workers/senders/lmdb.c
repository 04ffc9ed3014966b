/* LMDB: a tree from key to record, and one from key to text. */
#include "workers/senders/lmdb.h"

#include "core/base/expect.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>

#define DATABASES   3
#define READERS_MAX 512 /* workers, and commands beside the server */
#define WINDOW      256 /* neighbours that are looked at when some must go */
#define LOOKS_MAX   16  /* windows for each that would be enough */
#define TRIES_MAX   3   /* to look at a store without a lock: its writer may use a page again meanwhile */

/* A value of the database of the secret. */
struct secret_value {
        uint8_t secret[SENDER_SECRET_SIZE];
        uint8_t has_unkeyed;
};

/* Whoever opens the store first for writing chooses the secret. */
static int secret_open(struct sender_lmdb *lmdb, MDB_txn *txn, bool is_read_only)
{
        char octets[] = "secret";
        MDB_val name = {sizeof octets - 1, octets}, value;
        struct secret_value chosen;
        MDB_stat stat;
        MDB_dbi secrets;
        int error = mdb_dbi_open(txn, "secret-1", is_read_only ? 0 : MDB_CREATE, &secrets);

        if (error == 0 && (error = mdb_get(txn, secrets, &name, &value)) == 0) {
                if (value.mv_size != sizeof chosen)
                        return MDB_CORRUPTED;
                memcpy(&chosen, value.mv_data, sizeof chosen);
        } else if (error == MDB_NOTFOUND && is_read_only) {
                return 0;
        } else if (error == MDB_NOTFOUND) {
                if ((error = mdb_stat(txn, lmdb->records, &stat)) != 0)
                        return error;
                chosen = (struct secret_value){.has_unkeyed = stat.ms_entries > 0};
                expect(getrandom(chosen.secret, sizeof chosen.secret, 0) == sizeof chosen.secret);
                value = (MDB_val){sizeof chosen, &chosen};
                error = mdb_put(txn, secrets, &name, &value, 0);
        }
        if (error != 0)
                return error;
        sender_secret_set(&lmdb->secret, chosen.secret);
        lmdb->has_secret = true;
        lmdb->has_unkeyed = chosen.has_unkeyed;
        return 0;
}

const struct sender_secret *sender_lmdb_secret(const struct sender_lmdb *lmdb)
{
        return lmdb->has_secret ? &lmdb->secret : NULL;
}

/* NOTLS: a reader belongs to a worker, not to whoever opens it. NOMETASYNC: one sync for each batch; when the machine
 * fails the last batch may be lost, the file is whole. A killed process loses nothing that was committed. */
static int environment_open(struct sender_lmdb *lmdb, const char *folder, unsigned flags)
{
        int error = mdb_env_create(&lmdb->env);

        if (error != 0)
                return error;
        if ((error = mdb_env_set_maxdbs(lmdb->env, DATABASES)) != 0 ||
            (error = mdb_env_set_maxreaders(lmdb->env, READERS_MAX)) != 0 ||
            (error = mdb_env_set_mapsize(lmdb->env, lmdb->size)) != 0)
                return error;
        return mdb_env_open(lmdb->env, folder, MDB_NOTLS | MDB_NOMETASYNC | flags, 0600);
}

static int databases_open(struct sender_lmdb *lmdb, bool is_read_only)
{
        unsigned create = is_read_only ? 0 : MDB_CREATE;
        MDB_txn *txn;
        int error = mdb_txn_begin(lmdb->env, NULL, is_read_only ? MDB_RDONLY : 0, &txn);

        if (error != 0)
                return error;
        if ((error = mdb_dbi_open(txn, "senders-1", create, &lmdb->records)) == 0 &&
            (error = mdb_dbi_open(txn, "texts-1", create, &lmdb->texts)) == 0 &&
            (error = secret_open(lmdb, txn, is_read_only)) == 0)
                error = mdb_txn_commit(txn);
        else
                mdb_txn_abort(txn);
        return error;
}

/* Pages behind the file's end must not be touched: they are mapped, and not there. */
static bool is_whole(struct sender_lmdb *lmdb, off_t file_octets)
{
        MDB_envinfo info;
        MDB_stat stat;

        return mdb_env_info(lmdb->env, &info) == 0 && mdb_env_stat(lmdb->env, &stat) == 0 &&
               (info.me_last_pgno + 1) * stat.ms_psize <= (uint64_t)file_octets;
}

static int look_once(const char *folder, uint64_t size, off_t file_octets)
{
        struct sender_lmdb lmdb = {.size = size};
        int error = environment_open(&lmdb, folder, MDB_RDONLY | MDB_NOLOCK);

        if (error == 0 && is_whole(&lmdb, file_octets))
                error = databases_open(&lmdb, true);
        sender_lmdb_close(&lmdb);
        return error == MDB_NOTFOUND ? 0 : error; /* nobody has written to it yet */
}

int sender_lmdb_look(const char *folder, uint64_t size)
{
        char path[PATH_MAX];
        struct stat status;
        int error = 0;

        if (snprintf(path, sizeof path, "%s/data.mdb", folder) >= (int)sizeof path)
                return ENAMETOOLONG;
        if (stat(path, &status) != 0)
                return errno == ENOENT ? 0 : errno;
        if (status.st_size == 0)
                return 0; /* LMDB fills it, and cannot map it before */
        for (int i = 0; i < TRIES_MAX; i++)
                if ((error = look_once(folder, size, status.st_size)) == 0)
                        break;
        return error;
}

int sender_lmdb_open(struct sender_lmdb *lmdb, const char *folder, uint64_t size, bool is_read_only)
{
        int error, dead;

        *lmdb = (struct sender_lmdb){.size = size, .random = 2463534242};
        if (!is_read_only && mkdir(folder, 0700) != 0 && errno != EEXIST)
                return errno;
        /* LMDB makes its lock file before it finds that the data is none of its own. */
        if (!is_read_only && (error = sender_lmdb_look(folder, size)) != 0)
                return error;
        if ((error = environment_open(lmdb, folder, is_read_only ? MDB_RDONLY : 0)) != 0 ||
            (error = mdb_reader_check(lmdb->env, &dead)) != 0 || /* of a process that was killed */
            (error = databases_open(lmdb, is_read_only)) != 0)
                sender_lmdb_close(lmdb);
        return error;
}

void sender_lmdb_close(struct sender_lmdb *lmdb)
{
        if (lmdb->env != NULL)
                mdb_env_close(lmdb->env);
        lmdb->env = NULL;
}

/* ---- reading ------------------------------------------------------------------------------------------- */

MDB_txn *sender_lmdb_reader(struct sender_lmdb *lmdb)
{
        MDB_txn *reader;

        if (mdb_txn_begin(lmdb->env, NULL, MDB_RDONLY, &reader) != 0)
                return NULL;
        mdb_txn_reset(reader);
        return reader;
}

static MDB_val value_of_key(const uint8_t key[static SENDER_KEY_SIZE])
{
        return (MDB_val){.mv_size = SENDER_KEY_SIZE, .mv_data = (void *)(uintptr_t)key};
}

static int get_one(struct sender_lmdb *lmdb, MDB_txn *txn, const uint8_t key[static SENDER_KEY_SIZE],
                   struct sender_record *ret_record)
{
        MDB_val name = value_of_key(key), value;
        int error = mdb_get(txn, lmdb->records, &name, &value);

        if (error != 0)
                return error;
        if (value.mv_size != SENDER_RECORD_SIZE)
                return MDB_CORRUPTED;
        sender_record_read(value.mv_data, ret_record);
        return 0;
}

/* *ret_is_unkeyed: it was found where an earlier version has put it. */
static int get(struct sender_lmdb *lmdb, MDB_txn *txn, const struct sender_key *key,
               struct sender_record *ret_record, bool *ret_is_unkeyed)
{
        int error = get_one(lmdb, txn, key->octets, ret_record);

        *ret_is_unkeyed = false;
        if (error != MDB_NOTFOUND || !lmdb->has_unkeyed || !sender_key_has_unkeyed(key))
                return error;
        error = get_one(lmdb, txn, key->unkeyed, ret_record);
        *ret_is_unkeyed = error == 0;
        return error;
}

/* Renewed for each question: a reader that stays keeps the writer from using pages again. */
enum fact sender_lmdb_get(struct sender_lmdb *lmdb, MDB_txn *reader, const struct sender_key *key,
                          struct sender_record *ret_record)
{
        bool is_unkeyed;

        if (reader == NULL || mdb_txn_renew(reader) != 0)
                return FACT_FAILED;
        int error = get(lmdb, reader, key, ret_record, &is_unkeyed);
        mdb_txn_reset(reader);
        return error == 0 ? FACT_FOUND : error == MDB_NOTFOUND ? FACT_ABSENT : FACT_FAILED;
}

/* ---- writing ------------------------------------------------------------------------------------------- */

static int forget_in(MDB_txn *txn, MDB_dbi dbi, const uint8_t key[static SENDER_KEY_SIZE])
{
        MDB_val name = value_of_key(key);
        int error = mdb_del(txn, dbi, &name, NULL);
        return error == MDB_NOTFOUND ? 0 : error;
}

static int forget(struct sender_lmdb *lmdb, MDB_txn *txn, const uint8_t key[static SENDER_KEY_SIZE])
{
        int error = forget_in(txn, lmdb->records, key);
        return error != 0 ? error : forget_in(txn, lmdb->texts, key);
}

int sender_lmdb_forget(struct sender_lmdb *lmdb, MDB_txn *txn, const struct sender_key *key)
{
        return forget(lmdb, txn, key->octets);
}

/* A record of an earlier version moves to its new key with the first change of it. */
int sender_lmdb_merge(struct sender_lmdb *lmdb, MDB_txn *txn, const struct sender_effect *effect)
{
        uint8_t octets[SENDER_RECORD_SIZE];
        struct sender_record record = {0};
        bool is_unkeyed;
        int error = get(lmdb, txn, &effect->key, &record, &is_unkeyed);

        if (error != 0 && error != MDB_NOTFOUND)
                return error;
        sender_merge(&record, error == MDB_NOTFOUND, &effect->record);
        sender_record_write(&record, octets);
        MDB_val name = value_of_key(effect->key.octets), value = {SENDER_RECORD_SIZE, octets};
        error = mdb_put(txn, lmdb->records, &name, &value, 0);
        if (error == 0 && is_unkeyed)
                error = forget(lmdb, txn, effect->key.unkeyed);
        if (error != 0 || effect->text.length == 0)
                return error;
        /* A key has but one text. */
        value = (MDB_val){effect->text.length, (void *)(uintptr_t)effect->text.at};
        error = mdb_put(txn, lmdb->texts, &name, &value, MDB_NOOVERWRITE);
        return error == MDB_KEYEXIST ? 0 : error;
}

/* ---- what has to go ------------------------------------------------------------------------------------ */

/* The record under the cursor, with its text. */
static int delete_here(struct sender_lmdb *lmdb, MDB_cursor *cursor, const MDB_val *name)
{
        uint8_t key[SENDER_KEY_SIZE] = {0}; /* the cursor's own goes with the record */
        memcpy(key, name->mv_data, name->mv_size < sizeof key ? name->mv_size : sizeof key);
        int error = mdb_cursor_del(cursor, 0);
        return error != 0 ? error : forget_in(mdb_cursor_txn(cursor), lmdb->texts, key);
}

static bool has_expired(const MDB_val *value, uint32_t now_s, struct sender_record *ret_record)
{
        if (value->mv_size < SENDER_RECORD_SIZE)
                return true;
        sender_record_read(value->mv_data, ret_record);
        return ret_record->expires_s <= now_s;
}

int sender_lmdb_sweep(struct sender_lmdb *lmdb, MDB_txn *txn, uint32_t now_s, size_t count)
{
        MDB_val key = {sizeof lmdb->sweep_from, lmdb->sweep_from}, value;
        struct sender_record record;
        MDB_cursor *cursor;
        int error = mdb_cursor_open(txn, lmdb->records, &cursor);

        if (error != 0)
                return error;
        error = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
        for (; error == 0 && count > 0; count--) {
                memcpy(lmdb->sweep_from, key.mv_data, sizeof lmdb->sweep_from);
                if (has_expired(&value, now_s, &record) && (error = delete_here(lmdb, cursor, &key)) != 0)
                        break;
                error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        }
        mdb_cursor_close(cursor);
        if (error != MDB_NOTFOUND)
                return error;
        memset(lmdb->sweep_from, 0, sizeof lmdb->sweep_from); /* the end: from the beginning */
        return 0;
}

static uint64_t octets_of(MDB_txn *txn, MDB_dbi dbi)
{
        MDB_stat stat;

        if (mdb_stat(txn, dbi, &stat) != 0)
                return 0;
        return (stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages) * (uint64_t)stat.ms_psize;
}

bool sender_lmdb_is_nearly_full(struct sender_lmdb *lmdb, MDB_txn *txn)
{
        return octets_of(txn, lmdb->records) + octets_of(txn, lmdb->texts) > lmdb->size / 3 * 2;
}

/* Keys are hashes: a random key is a random place. */
static void random_key(struct sender_lmdb *lmdb, uint8_t ret_key[static SENDER_KEY_SIZE])
{
        for (size_t i = 0; i < SENDER_KEY_SIZE; i++) {
                lmdb->random ^= lmdb->random << 13;
                lmdb->random ^= lmdb->random >> 17;
                lmdb->random ^= lmdb->random << 5;
                ret_key[i] = (uint8_t)(lmdb->random >> 11);
        }
}

/* In one window, at most `count`. The first pass takes those that wait, the second takes any. */
static int evict_window(struct sender_lmdb *lmdb, MDB_cursor *cursor, bool takes_any, size_t count,
                        size_t *ret_deleted)
{
        uint8_t octets[SENDER_KEY_SIZE];
        MDB_val key = {sizeof octets, octets}, value;
        struct sender_record record;

        random_key(lmdb, octets);
        int error = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
        for (int looked = 0; error == 0 && looked < WINDOW && *ret_deleted < count; looked++) {
                bool is_useless = has_expired(&value, 0, &record) || record.count == 0;
                if (is_useless || (takes_any && record.count != UINT32_MAX)) {
                        if ((error = delete_here(lmdb, cursor, &key)) != 0)
                                return error;
                        ++*ret_deleted;
                }
                error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        }
        return error == MDB_NOTFOUND ? 0 : error;
}

int sender_lmdb_evict(struct sender_lmdb *lmdb, MDB_txn *txn, size_t count)
{
        size_t deleted = 0, windows = (count / WINDOW + 1) * LOOKS_MAX;
        MDB_cursor *cursor;
        int error = mdb_cursor_open(txn, lmdb->records, &cursor);

        if (error != 0)
                return error;
        for (size_t i = 0; error == 0 && i < windows && deleted < count; i++)
                error = evict_window(lmdb, cursor, i >= windows / 2, count, &deleted);
        mdb_cursor_close(cursor);
        return error;
}
