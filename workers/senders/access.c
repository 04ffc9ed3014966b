/* Waiting for the store of senders, outside of the server. */
#include "workers/senders/access.h"

#include "workers/senders/redis/access.h"

#include <stdio.h>

#define FORGET_BATCH 1000 /* for the server's writer waits meanwhile */

static bool fail(const char *reason)
{
        fprintf(stderr, "gatepost: the store of senders: %s\n", reason);
        return false;
}

/* ---- lmdb ---------------------------------------------------------------------------------------------- */

static enum fact ask_lmdb(struct sender_source *source, const struct sender_key *key, uint64_t handle,
                          struct sender_record *ret_record)
{
        struct sender_access *access = (struct sender_access *)source;

        (void)handle;
        return sender_lmdb_get(&access->lmdb, access->reader, key, ret_record);
}

static void apply_nothing(struct sender_source *source, const struct sender_effect *effect)
{
        (void)source, (void)effect;
}

static bool open_lmdb(struct sender_access *access, const struct snapshot *snapshot, bool is_read_only)
{
        int error = sender_lmdb_open(&access->lmdb, snapshot->sender_store.path,
                                     snapshot->options.sender_size_octets, is_read_only);

        if (error != 0)
                return fail(mdb_strerror(error));
        access->reader = sender_lmdb_reader(&access->lmdb);
        access->source.ask = ask_lmdb;
        sender_placing_add(&access->placing, SPAN("lmdb"));
        access->placing.shares[0].secret = sender_lmdb_secret(&access->lmdb);
        access->source.placing = &access->placing;
        return access->reader != NULL || fail("too many readers");
}

static struct span text_lmdb(struct sender_access *access, MDB_val *name)
{
        MDB_val text;
        if (mdb_get(access->reader, access->lmdb.texts, name, &text) != 0)
                return SPAN("");
        return span_of(text.mv_data, text.mv_size);
}

static bool each_lmdb(struct sender_access *access, sender_visit *visit, void *context)
{
        MDB_cursor *cursor;
        MDB_val name, value;
        struct sender_record record;
        struct sender_key key;
        int error = mdb_txn_renew(access->reader);

        if (error == 0 && (error = mdb_cursor_open(access->reader, access->lmdb.records, &cursor)) == 0) {
                while ((error = mdb_cursor_get(cursor, &name, &value, MDB_NEXT)) == 0) {
                        if (name.mv_size != sizeof key.octets || value.mv_size != SENDER_RECORD_SIZE)
                                continue;
                        memcpy(key.octets, name.mv_data, sizeof key.octets);
                        memcpy(key.unkeyed, name.mv_data, sizeof key.unkeyed);
                        sender_record_read(value.mv_data, &record);
                        visit(context, &key, &record, text_lmdb(access, &name));
                }
                mdb_cursor_close(cursor);
        }
        mdb_txn_reset(access->reader);
        return error == MDB_NOTFOUND || fail(mdb_strerror(error));
}

static bool merge_lmdb(struct sender_access *access, const struct sender_effect *effect)
{
        MDB_txn *txn;
        int error = mdb_txn_begin(access->lmdb.env, NULL, 0, &txn);

        if (error == 0 && (error = sender_lmdb_merge(&access->lmdb, txn, effect)) != 0)
                mdb_txn_abort(txn);
        else if (error == 0)
                error = mdb_txn_commit(txn);
        return error == 0 || fail(mdb_strerror(error));
}

static bool forget_lmdb(struct sender_access *access, const struct sender_key *keys, size_t count)
{
        MDB_txn *txn;
        int error = mdb_txn_begin(access->lmdb.env, NULL, 0, &txn);

        for (size_t i = 0; i < count && error == 0; i++) {
                error = sender_lmdb_forget(&access->lmdb, txn, &keys[i]);
                if (error != 0)
                        mdb_txn_abort(txn);
        }
        if (error == 0)
                error = mdb_txn_commit(txn);
        return error == 0 || fail(mdb_strerror(error));
}

/* ---- either -------------------------------------------------------------------------------------------- */

bool sender_access_open(struct sender_access *access, const struct snapshot *snapshot, bool is_read_only)
{
        bool is_open = false;

        *access = (struct sender_access){.kind = snapshot->sender_store.kind, .source.apply = apply_nothing};
        if (access->kind == SENDER_STORE_LMDB)
                is_open = open_lmdb(access, snapshot, is_read_only);
        else if (access->kind == SENDER_STORE_REDIS)
                is_open = redis_access_open(access, snapshot);
        else
                fail("the configuration names none (sender_store)");
        if (!is_open)
                sender_access_close(access);
        return is_open;
}

void sender_access_close(struct sender_access *access)
{
        if (access->reader != NULL)
                mdb_txn_abort(access->reader);
        sender_lmdb_close(&access->lmdb);
        redis_access_close(access);
        access->reader = NULL;
}

bool sender_access_each(struct sender_access *access, sender_visit *visit, void *context)
{
        return access->kind == SENDER_STORE_LMDB ? each_lmdb(access, visit, context)
                                                 : redis_access_each(access, visit, context);
}

bool sender_access_merge(struct sender_access *access, const struct sender_effect *effect)
{
        return access->kind == SENDER_STORE_LMDB ? merge_lmdb(access, effect)
                                                 : redis_access_merge(access, effect);
}

bool sender_access_forget(struct sender_access *access, const struct sender_key *keys, size_t count)
{
        for (size_t i = 0; i < count;) {
                size_t batch = count - i < FORGET_BATCH ? count - i : FORGET_BATCH;
                if (access->kind == SENDER_STORE_REDIS)
                        batch = 1;
                if (!(access->kind == SENDER_STORE_LMDB ? forget_lmdb(access, keys + i, batch)
                                                        : redis_access_forget(access, keys + i)))
                        return false;
                i += batch;
        }
        return true;
}
