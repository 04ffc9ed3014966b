/* Batches for LMDB. */
#include "workers/senders/writer.h"

#include "dns/clock.h"

#include <time.h>

#define BATCH_MAX      4000
#define GATHER_MS      10   /* what comes in this time is committed together: a commit costs a sync */
#define SWEEP_EVERY_MS 1000 /* a part of the records each time ... */
#define SWEEP_PARTS    1800 /* ... so that all are seen in half an hour; it also keeps them in memory */
#define SWEEP_MIN      500
#define CLOCK_REST_MS  3600000 /* no record goes so soon after the clock was set, which may be wrong */

/* A batch must find room in what is kept free, a third: each job may change some pages of its own, and what
 * the batch before has freed cannot be used yet. */
static size_t batch_max(const struct sender_lmdb *lmdb)
{
        uint64_t fits = lmdb->size / 4096 / 64;
        return fits < 1 ? 1 : fits < BATCH_MAX ? (size_t)fits : BATCH_MAX;
}

/* What is there; when that is not enough for a batch, also what comes while we wait a little. */
static struct sender_job *take_batch(struct sender_store *store)
{
        const struct timespec gather = {.tv_nsec = GATHER_MS * 1000000L};
        struct sender_job *first = NULL, *job;
        bool has_waited = atomic_load(&store->is_stopping);

        for (size_t left = batch_max(&store->lmdb); left > 0;) {
                if ((job = sender_store_take(store)) != NULL) {
                        job->next = first;
                        first = job;
                        left--;
                } else if (first != NULL && !has_waited) {
                        nanosleep(&gather, NULL);
                        has_waited = true;
                } else {
                        break;
                }
        }
        return first;
}

static int merge_all(struct sender_store *store, MDB_txn *txn, struct sender_job *job)
{
        size_t merged = 0;
        int error = 0;

        for (; job != NULL && error == 0; job = job->next, merged++) {
                struct sender_effect effect = {job->key, job->record, span_of(job->text, job->text_length)};
                error = sender_lmdb_merge(&store->lmdb, txn, &effect);
        }
        /* A little more goes than came, so that the file stays below its bound. */
        if (error == 0 && sender_lmdb_is_nearly_full(&store->lmdb, txn))
                error = sender_lmdb_evict(&store->lmdb, txn, merged + merged / 4 + 1);
        return error;
}

static int end_transaction(MDB_txn *txn, int error)
{
        if (error == 0)
                return mdb_txn_commit(txn);
        mdb_txn_abort(txn);
        return error;
}

/* It was nearly full by more than a batch: another process, or a smaller size than before. */
static void make_room(struct sender_store *store)
{
        MDB_txn *txn;

        if (mdb_txn_begin(store->lmdb.env, NULL, 0, &txn) != 0)
                return;
        end_transaction(txn, sender_lmdb_evict(&store->lmdb, txn, batch_max(&store->lmdb)));
}

static void write_batch(struct sender_store *store, struct sender_job *batch)
{
        MDB_txn *txn;
        int error = mdb_txn_begin(store->lmdb.env, NULL, 0, &txn);

        if (error == 0)
                error = end_transaction(txn, merge_all(store, txn, batch));
        if (error != 0)
                sender_store_complain(store, "sender_not_written", mdb_strerror(error));
        if (error == MDB_MAP_FULL)
                make_room(store);
        while (batch != NULL) {
                struct sender_job *next = batch->next;
                sender_store_return(store, batch, error == 0 ? FACT_FOUND : FACT_FAILED);
                batch = next;
        }
}

static void sweep(struct sender_store *store)
{
        MDB_txn *txn;
        MDB_stat stat = {0};
        int dead;

        mdb_reader_check(store->lmdb.env,
                         &dead); /* commands that were killed keep pages from being used again */
        if (mdb_txn_begin(store->lmdb.env, NULL, 0, &txn) != 0)
                return;
        mdb_stat(txn, store->lmdb.records, &stat);
        size_t count = stat.ms_entries / SWEEP_PARTS;
        int error = sender_lmdb_sweep(&store->lmdb, txn, (uint32_t)clock_wall_s(),
                                      count < SWEEP_MIN ? SWEEP_MIN : count);
        error = end_transaction(txn, error);
        if (error != 0)
                sender_store_complain(store, "sender_not_swept", mdb_strerror(error));
}

/* Until there are jobs, or it is time for something else. */
static void wait_for_jobs(struct sender_store *store, uint64_t until_ms)
{
        uint64_t now_ms = clock_monotonic_ms(), wait_ms = until_ms > now_ms ? until_ms - now_ms : 0;

        waker_prepare(&store->waker);
        if (!sender_store_is_empty(store) || atomic_load(&store->is_stopping))
                waker_stay_awake(&store->waker);
        else
                waker_nap(&store->waker, (int)wait_ms);
}

void sender_writer_run(struct sender_store *store)
{
        uint64_t now_ms = clock_monotonic_ms(), sweep_at_ms = now_ms + SWEEP_EVERY_MS, rests_until_ms = 0;
        struct clock_watch clock = {0};

        clock_watch_jump_ms(&clock);

        while (!atomic_load(&store->is_stopping) || !sender_store_is_empty(store)) {
                wait_for_jobs(store, sweep_at_ms);
                struct sender_job *batch = take_batch(store);
                if (batch != NULL)
                        write_batch(store, batch);
                sender_store_flush(store); /* what finds no room goes with the next batch, or in a second */
                now_ms = clock_monotonic_ms();
                if (now_ms < sweep_at_ms)
                        continue;
                if (clock_watch_jump_ms(&clock) != 0)
                        rests_until_ms = now_ms + CLOCK_REST_MS;
                if (now_ms >= rests_until_ms)
                        sweep(store);
                sweep_at_ms = clock_monotonic_ms() + SWEEP_EVERY_MS;
        }
        sender_store_flush(store);
}
