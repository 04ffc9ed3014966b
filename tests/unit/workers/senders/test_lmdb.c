/* LMDB as the store of senders: what was committed is there again, what has expired goes, and a full file
 * makes room. */
#include "tests/unit/conf/fixture.h"
#include "workers/senders/lmdb.h"

TestSuite(lmdb, .init = folder_begin, .fini = folder_end);

static struct sender_lmdb store;
static char path[256];

static MDB_txn *begin(void)
{
        MDB_txn *txn;
        cr_assert_eq(mdb_txn_begin(store.env, NULL, 0, &txn), 0);
        return txn;
}

static void open_store_in(const char *name, uint64_t size)
{
        snprintf(path, sizeof path, "%s/%s", folder, name);
        cr_assert_eq(sender_lmdb_open(&store, path, size, false), 0);
}

static void open_store(uint64_t size)
{
        open_store_in("state", size);
}

static struct sender_key key_of(unsigned number)
{
        return sender_key_of(NULL, span_of((const char *)&number, sizeof number));
}

static int put(MDB_txn *txn, unsigned number, struct sender_record record, const char *text)
{
        return sender_lmdb_merge(&store, txn,
                                 &(struct sender_effect){key_of(number), record, span_from(text)});
}

static enum fact get(unsigned number, struct sender_record *ret_record)
{
        struct sender_key key = key_of(number);
        MDB_txn *reader = sender_lmdb_reader(&store);
        enum fact fact = sender_lmdb_get(&store, reader, &key, ret_record);
        mdb_txn_abort(reader);
        return fact;
}

/* Records and texts come and go together. */
static size_t entries(void)
{
        MDB_txn *txn = begin();
        MDB_stat records, texts;
        cr_assert_eq(mdb_stat(txn, store.records, &records), 0);
        cr_assert_eq(mdb_stat(txn, store.texts, &texts), 0);
        mdb_txn_abort(txn);
        cr_expect_eq(records.ms_entries, texts.ms_entries);
        return records.ms_entries;
}

Test(lmdb, what_was_committed_is_there_again)
{
        struct sender_record record;

        open_store(1 << 20);
        MDB_txn *txn = begin();
        cr_expect_eq(put(txn, 1, (struct sender_record){10, 10, 20, 0}, "a b c"), 0);
        cr_expect_eq(mdb_txn_commit(txn), 0);
        txn = begin();
        cr_expect_eq(put(txn, 1, (struct sender_record){12, 12, 90, 1}, ""), 0);
        cr_expect_eq(put(txn, 2, (struct sender_record){1, 1, 1, 1}, ""), 0);
        cr_expect_eq(get(2, &record), FACT_ABSENT, "not before the commit");
        cr_expect_eq(mdb_txn_commit(txn), 0);
        sender_lmdb_close(&store);
        open_store(1 << 20);
        cr_expect_eq(get(1, &record), FACT_FOUND);
        cr_expect(record.first_s == 10 && record.last_s == 12 && record.expires_s == 90 && record.count == 1);
        cr_expect_eq(get(3, &record), FACT_ABSENT);
        txn = begin();
        struct sender_key key = key_of(1);
        cr_expect_eq(sender_lmdb_forget(&store, txn, &key), 0);
        cr_expect_eq(sender_lmdb_forget(&store, txn, &key), 0);
        cr_expect_eq(mdb_txn_commit(txn), 0);
        cr_expect_eq(get(1, &record), FACT_ABSENT);
        sender_lmdb_close(&store);
        cr_expect_neq(sender_lmdb_open(&store, "/proc/nowhere", 1 << 20, false), 0);
}

Test(lmdb, expired_records_are_swept_bit_by_bit)
{
        struct sender_record record;

        open_store(4 << 20);
        MDB_txn *txn = begin();
        for (unsigned i = 0; i < 1000; i++)
                cr_assert_eq(put(txn, i, (struct sender_record){1, 1, i % 2 == 0 ? 50 : 150, 0}, "text"), 0);
        cr_assert_eq(mdb_txn_commit(txn), 0);
        txn = begin();
        cr_expect_eq(sender_lmdb_sweep(&store, txn, 100, 300), 0);
        cr_assert_eq(mdb_txn_commit(txn), 0);
        size_t left = entries();
        cr_expect(left > 700 && left < 1000, "%zu", left);
        for (int i = 0; i < 4; i++) {
                txn = begin();
                cr_expect_eq(sender_lmdb_sweep(&store, txn, 100, 300), 0);
                cr_assert_eq(mdb_txn_commit(txn), 0);
        }
        cr_expect_eq(entries(), 500);
        cr_expect_eq(get(2, &record), FACT_ABSENT);
        cr_expect_eq(get(3, &record), FACT_FOUND);
        sender_lmdb_close(&store);
}

/* As the writer does it: each batch that finds it nearly full makes more room than it has taken. */
Test(lmdb, a_full_file_makes_room_and_keeps_what_was_allowed_by_hand)
{
        struct sender_record record;

        open_store(4 << 20);
        cr_assert_eq(mdb_env_set_flags(store.env, MDB_NOSYNC, 1), 0);
        MDB_txn *txn = begin();
        cr_assert_eq(put(txn, 1000000, (struct sender_record){1, 1, UINT32_MAX, UINT32_MAX}, "allowed"), 0);
        cr_assert_eq(mdb_txn_commit(txn), 0);
        for (unsigned i = 0; i < 100000; i += 16) {
                txn = begin();
                for (unsigned j = i; j < i + 16; j++)
                        cr_assert_eq(
                            put(txn, j, (struct sender_record){1, 1, 1000, j % 4 == 0}, "some text about it"),
                            0, "at %u", j);
                if (sender_lmdb_is_nearly_full(&store, txn))
                        cr_assert_eq(sender_lmdb_evict(&store, txn, 21), 0);
                cr_assert_eq(mdb_txn_commit(txn), 0, "at %u", i);
        }
        size_t left = entries();
        cr_expect(left > 10000 && left < 60000, "%zu", left);
        cr_expect_eq(get(1000000, &record), FACT_FOUND);
        sender_lmdb_close(&store);
}

static void close_and_open(void)
{
        sender_lmdb_close(&store);
        open_store(1 << 20);
}

/* The store chooses it, and whoever opens the store later has the same. */
Test(lmdb, keys_have_a_secret_of_the_store)
{
        struct sender_secret first;

        open_store(1 << 20);
        cr_assert_not_null(sender_lmdb_secret(&store));
        first = *sender_lmdb_secret(&store);
        close_and_open();
        cr_expect_arr_eq(sender_lmdb_secret(&store)->octets, first.octets, sizeof first.octets);
        sender_lmdb_close(&store);
        open_store_in("other", 1 << 20);
        cr_expect_arr_neq(sender_lmdb_secret(&store)->octets, first.octets, sizeof first.octets);
        sender_lmdb_close(&store);
}

/* As an earlier version left it: records under keys without a secret, and none to be had. */
static void make_unkeyed_store(void)
{
        MDB_dbi secrets;

        open_store(1 << 20);
        MDB_txn *txn = begin();
        cr_assert_eq(put(txn, 1, (struct sender_record){10, 10, 90, 3}, "one"), 0);
        cr_assert_eq(mdb_dbi_open(txn, "secret-1", 0, &secrets), 0);
        cr_assert_eq(mdb_drop(txn, secrets, 1), 0);
        cr_assert_eq(mdb_txn_commit(txn), 0);
        close_and_open();
}

Test(lmdb, records_of_earlier_versions_move_to_their_new_keys)
{
        struct sender_record record;
        struct sender_key old = key_of(1), key;
        uint32_t number = 1;

        make_unkeyed_store();
        key = sender_key_of(sender_lmdb_secret(&store), span_of((const char *)&number, sizeof number));
        MDB_txn *reader = sender_lmdb_reader(&store);
        cr_expect_eq(sender_lmdb_get(&store, reader, &key, &record), FACT_FOUND);
        cr_expect_eq(record.count, 3);
        struct sender_effect effect = {key, {20, 20, 90, 1}, SPAN("one")};
        MDB_txn *txn = begin();
        cr_assert_eq(sender_lmdb_merge(&store, txn, &effect), 0);
        cr_assert_eq(mdb_txn_commit(txn), 0);
        cr_expect_eq(entries(), 1, "it has moved");
        cr_expect_eq(sender_lmdb_get(&store, reader, &key, &record), FACT_FOUND);
        cr_expect_eq(record.count, 4);
        cr_expect_eq(sender_lmdb_get(&store, reader, &old, &record), FACT_ABSENT);
        mdb_txn_abort(reader);
        sender_lmdb_close(&store);
}

/* After an error a transaction opens no cursor, and there is none to be closed. */
Test(lmdb, a_transaction_that_failed_makes_no_room)
{
        int error = 0;

        open_store(64 << 10);
        MDB_txn *txn = begin();
        for (unsigned i = 0; error == 0; i++)
                error = put(txn, i, (struct sender_record){1, 1, 1000, 0}, "some text about it");
        cr_expect_eq(error, MDB_MAP_FULL, "%s", mdb_strerror(error));
        cr_expect_eq(sender_lmdb_evict(&store, txn, 21), MDB_BAD_TXN);
        cr_expect_eq(sender_lmdb_sweep(&store, txn, 2000, 21), MDB_BAD_TXN);
        mdb_txn_abort(txn);
        sender_lmdb_close(&store);
}
