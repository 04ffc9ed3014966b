/* The writer's thread: it opens the journal, takes what waits, and reports. */
#include "workers/journal/journal.h"

#include "dns/clock.h"
#include "workers/journal/commit.h"
#include "workers/journal/open.h"
#include "workers/journal/round.h"
#include "workers/thread/name.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define OPEN_EVERY_MS 100  /* while another process has the journal */
#define IDLE_MS       1000 /* the longest rest: what is told late, such as a free segment, is told then */
#define RETRY_MS      1    /* while a ring is full */

/* ---- what is in hand ----------------------------------------------------------------------------------- */

static void take_orders(struct journal *journal)
{
        struct journal_order *order;

        while (journal->count < JOURNAL_BATCH_MAX &&
               (order = (struct journal_order *)channel_receive(journal->orders)) != NULL)
                journal->items[journal->count++] = (struct journal_item){.order = order};
}

/* From every worker in turn, behind what is in hand. */
static void take_jobs(struct journal *journal)
{
        size_t before;

        do {
                before = journal->count;
                for (uint32_t i = 0; i < journal->worker_count && journal->count < JOURNAL_BATCH_MAX; i++) {
                        struct journal_job *job = (struct journal_job *)channel_receive(&journal->jobs[i]);
                        if (job != NULL)
                                journal->items[journal->count++] =
                                    (struct journal_item){.job = job, .worker = i};
                }
        } while (journal->count > before && journal->count < JOURNAL_BATCH_MAX);
}

/* Reports what is done; the rest moves up. */
static void report(struct journal *journal)
{
        size_t kept = 0;

        for (size_t i = 0; i < journal->count; i++) {
                struct journal_item *item = &journal->items[i];
                if (!item->is_done)
                        journal->items[kept++] = *item;
                else if (item->order != NULL)
                        channel_send(journal->done, &item->order->parcel);
                else
                        channel_send(journal->reports[item->worker], &item->job->delivery.parcel);
        }
        journal->count = kept;
}

static bool flush(struct journal *journal)
{
        bool is_all = channel_flush(journal->news);

        is_all &= channel_flush(journal->done);
        for (uint32_t i = 0; i < journal->worker_count; i++)
                is_all &= channel_flush(journal->reports[i]);
        return is_all;
}

static bool has_work(struct journal *journal)
{
        for (uint32_t i = 0; i < journal->worker_count; i++)
                if (!channel_is_empty(&journal->jobs[i]))
                        return true;
        return !channel_is_empty(journal->orders) || atomic_load(&journal->is_stopping) ||
               (journal->is_leaving && journal->has_no_drain && !journal->is_released);
}

static void rest(struct journal *journal, bool is_flushed)
{
        /* Nobody's wake opens it sooner. */
        if ((!journal->is_open && !journal->is_released) || !is_flushed) {
                long pause_ms = is_flushed ? OPEN_EVERY_MS : RETRY_MS;
                nanosleep(&(struct timespec){.tv_nsec = pause_ms * 1000000L}, NULL);
                return;
        }
        waker_prepare(&journal->waker);
        if (has_work(journal))
                waker_stay_awake(&journal->waker);
        else
                waker_nap(&journal->waker, IDLE_MS);
}

/* ---- news ---------------------------------------------------------------------------------------------- */

static struct journal_news *news_create(size_t count)
{
        struct journal_news *news = malloc(sizeof *news + count * sizeof news->items[0]);

        if (news != NULL)
                *news = (struct journal_news){.count = 0};
        return news;
}

/* Before the round: what comes with it, and later, is no older than this. */
static void begin_news(struct journal *journal)
{
        size_t stores = 0;

        for (size_t i = 0; i < journal->count; i++)
                stores +=
                    journal->items[i].job != NULL && journal->items[i].job->delivery.kind == DELIVERY_STORE;
        journal->gathered = news_create(stores);
        journal->durable_news = 0;
        if (journal->gathered != NULL)
                journal->gathered->horizon = journal_store_spools_first(&journal->store);
}

static void send_news(struct journal *journal)
{
        struct journal_news *news = journal->gathered;

        journal->gathered = NULL;
        if (news == NULL)
                return;
        news->free_segments = journal_store_free_segments(&journal->store);
        if (news->count == 0 && !news->is_opening && news->horizon == journal->told_horizon &&
            news->free_segments == journal->told_free) {
                free(news);
                return;
        }
        journal->told_horizon = news->horizon;
        journal->told_free = news->free_segments;
        channel_send(journal->news, &news->parcel);
}

/* ---- opening ------------------------------------------------------------------------------------------- */

static void tell_opened(struct journal *journal, const struct journal_opening_report *found)
{
        journal->counts.damaged += found->damaged;
        journal->counts.torn += found->torn;
        journal->counts.waiting += journal->index->waiting;
        log_event(journal->log, "journal_opened", "path", journal->settings.path,
                  LOG_NUMBER("waiting", journal->index->waiting), LOG_NUMBER("damaged", found->damaged),
                  LOG_NUMBER("torn", found->torn), LOG_NUMBER("lost_segments", found->lost_segments), NULL);
}

/* Only with news of it, because the drain waits for them. */
static bool try_to_open(struct journal *journal)
{
        struct journal_opening_report found;
        struct journal_news *news = news_create(0);

        if (news == NULL)
                return false;
        switch (journal_open(&journal->store, journal->settings.path, journal->settings.segment_size,
                             journal->settings.size, journal->index, &found)) {
        case JOURNAL_OPENED:
                news->is_opening = true;
                news->horizon = journal->store.newest;
                journal->gathered = news;
                tell_opened(journal, &found);
                atomic_store(&journal->is_open, true);
                send_news(journal);
                return true;
        case JOURNAL_IS_TAKEN:
                if (!journal->has_waited)
                        log_event(journal->log, "journal_waits", "path", journal->settings.path, NULL);
                journal->has_waited = true;
                break;
        case JOURNAL_IS_BROKEN:
                journal_complain(journal, strerrordesc_np(errno));
                break;
        }
        free(news);
        return false;
}

/* What is in hand is deferred: its client comes again, and finds who has the journal then. */
static void fail_all(struct journal *journal)
{
        for (size_t i = 0; i < journal->count; i++)
                journal_fail_item(&journal->items[i], STORE_FAILED, "another process has the journal now");
        report(journal);
}

static void leave(struct journal *journal)
{
        if (journal->is_open) {
                journal_store_mark(&journal->store, true);
                journal_store_end(&journal->store);
        }
        atomic_store(&journal->is_open, false);
        atomic_store(&journal->is_released, true);
        log_event(journal->log, "journal_released", "path", journal->settings.path, NULL);
}

/* Nobody waits for longer than JOURNAL_PATIENCE_MS, and at the stop nobody waits. */
static void fail_old(struct journal *journal)
{
        uint64_t now_ms = clock_monotonic_ms();
        bool is_stopping = atomic_load(&journal->is_stopping);

        for (size_t i = 0; i < journal->count; i++) {
                struct journal_item *item = &journal->items[i];
                bool is_old = item->job == NULL || is_stopping ||
                              now_ms >= item->job->delivery.sent_ms + JOURNAL_PATIENCE_MS;
                if (is_old)
                        journal_fail_item(item, STORE_FAILED, "the journal is not open yet");
        }
}

/* ---- thread -------------------------------------------------------------------------------------------- */

/* False when there is nothing to do. */
static bool turn(struct journal *journal)
{
        take_orders(journal);
        take_jobs(journal);
        if (journal->is_leaving && journal->has_no_drain && !journal->is_released)
                leave(journal);
        if (journal->is_released) {
                fail_all(journal);
                return false;
        }
        if (!journal->is_open && !try_to_open(journal)) {
                fail_old(journal);
                report(journal);
                return false;
        }
        if (journal->count == 0)
                return false;
        begin_news(journal);
        journal_run_round(journal);
        send_news(journal);
        report(journal);
        return true;
}

/* Nobody waits now, so it is time for what takes time. */
static void use_idle_time(struct journal *journal)
{
        if (!journal->is_open)
                return;
        journal_store_mark(&journal->store, false);
        journal_store_prepare(&journal->store);
        begin_news(journal);
        send_news(journal);
}

static void *journal_main(void *argument)
{
        struct journal *journal = argument;

        thread_set_name("journal", 0);
        for (;;) {
                bool is_stopping = atomic_load(&journal->is_stopping);
                bool was_idle = !turn(journal);
                bool is_flushed = flush(journal);
                if (was_idle && is_stopping && is_flushed && journal->count == 0)
                        break;
                if (was_idle && is_flushed)
                        use_idle_time(journal);
                if (was_idle)
                        rest(journal, is_flushed);
        }
        if (journal->is_open)
                journal_store_mark(&journal->store, true);
        return NULL;
}

bool journal_init(struct journal *journal, const struct journal_settings *settings, uint32_t worker_count,
                  struct log_writer *log)
{
        *journal = (struct journal){.settings = *settings,
                                    .worker_count = worker_count,
                                    .log = log,
                                    .waker = {.event_fd = -1},
                                    .store = {.folder = {.fd = -1, .lock = -1}}};
        journal->jobs = channels_create(worker_count, &journal->waker);
        journal->orders = channels_create(1, &journal->waker);
        journal->reports = calloc(worker_count, sizeof(struct channel *));
        return waker_open(&journal->waker) && journal->jobs != NULL && journal->orders != NULL &&
               journal->reports != NULL && journal_store_init(&journal->store);
}

void journal_connect(struct journal *journal, uint32_t worker, struct channel *reports)
{
        journal->reports[worker] = reports;
}

void journal_connect_drain(struct journal *journal, struct journal_index *index, struct channel *news,
                           struct channel *done)
{
        journal->index = index;
        journal->news = news;
        journal->done = done;
}

bool journal_start(struct journal *journal)
{
        return pthread_create(&journal->thread, NULL, journal_main, journal) == 0;
}

void journal_release(struct journal *journal)
{
        atomic_store(&journal->is_leaving, true);
        waker_wake(&journal->waker);
}

void journal_note_drain_ended(struct journal *journal)
{
        atomic_store(&journal->has_no_drain, true);
        waker_wake(&journal->waker);
}

void journal_stop(struct journal *journal)
{
        atomic_store(&journal->is_stopping, true);
        waker_wake(&journal->waker);
}

bool journal_join(struct journal *journal, uint64_t until_ms)
{
        return clock_join_thread(journal->thread, until_ms);
}

void journal_end(struct journal *journal)
{
        waker_close(&journal->waker);
        free(journal->jobs);
        free(journal->orders);
        free(journal->reports);
        journal_store_end(&journal->store);
}
