/* The drain's thread. */
#include "workers/journal/drain.h"

#include "dns/clock.h"
#include "workers/journal/tries.h"
#include "workers/journal/upkeep.h"
#include "workers/thread/name.h"

#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#define IDLE_MS     1000
#define RETRY_MS    1
#define BLOCKS_KEPT 64
#define NAMER       64 /* behind the numbers of delivery threads, which may write into the same Maildir */

/* ---- from the writer ----------------------------------------------------------------------------------- */

/* False when memory is out: the rest is to be read later. */
static bool read_items(struct journal_drain *drain)
{
        const struct journal_news *news = drain->unread;

        for (; drain->unread_from < news->count; drain->unread_from++) {
                const struct journal_news_item *item = &news->items[drain->unread_from];
                if (journal_index_add(&drain->index, &item->entry, span_from(item->destination)) ==
                    JOURNAL_NONE)
                        return false;
        }
        return true;
}

static void read_news(struct journal_drain *drain)
{
        while (drain->unread != NULL ||
               (drain->unread = (struct journal_news *)channel_receive(drain->news)) != NULL) {
                drain->is_open = drain->is_open || drain->unread->is_opening;
                if (!read_items(drain))
                        return;
                drain->newest = drain->unread->horizon;
                drain->free_segments = drain->unread->free_segments;
                free(drain->unread);
                drain->unread = NULL;
                drain->unread_from = 0;
        }
}

static void read_done(struct journal_drain *drain)
{
        struct parcel *parcel;

        while ((parcel = channel_receive(drain->done)) != NULL)
                try_recorded(drain, (struct journal_delivery *)((char *)parcel -
                                                                offsetof(struct journal_delivery, order)));
}

static void read_returns(struct journal_drain *drain)
{
        struct parcel *parcel;

        for (uint32_t i = 0; i < drain->hop_count; i++)
                while ((parcel = channel_receive(&drain->returns[i])) != NULL)
                        try_returned(drain, (struct journal_delivery *)parcel);
}

/* ---- thread -------------------------------------------------------------------------------------------- */

static bool has_work(struct journal_drain *drain)
{
        bool is_idle = channel_is_empty(drain->news) && channel_is_empty(drain->done);

        for (uint32_t i = 0; i < drain->hop_count; i++)
                is_idle = is_idle && channel_is_empty(&drain->returns[i]);
        return !is_idle || atomic_load(&drain->is_stopping) ||
               (atomic_load(&drain->to_drop) != 0 && drain->dropping == JOURNAL_NONE && drain->is_open);
}

static bool flush(struct journal_drain *drain)
{
        bool is_all = channel_flush(drain->journal->orders);

        for (uint32_t i = 0; i < drain->hop_count; i++)
                is_all &= channel_flush(drain->deliveries[i]);
        return is_all;
}

/* Until something comes, or is due; the clock on the wall may be set meanwhile, so never for long. */
static void rest(struct journal_drain *drain, bool is_waiting_for_room)
{
        uint64_t now_ms = (uint64_t)clock_wall_ms();
        uint64_t wait_ms = drain->next_ms > now_ms ? drain->next_ms - now_ms : 0;

        if (is_waiting_for_room) {
                nanosleep(&(struct timespec){.tv_nsec = RETRY_MS * 1000000L}, NULL);
                return;
        }
        waker_prepare(&drain->waker);
        if (has_work(drain))
                waker_stay_awake(&drain->waker);
        else
                waker_nap(&drain->waker, wait_ms < IDLE_MS ? (int)wait_ms : IDLE_MS);
}

/* True when it is to come again at once. */
static bool turn(struct journal_drain *drain)
{
        bool is_busy = false;

        drain->next_ms = UINT64_MAX;
        upkeep_heed_clock(drain);
        read_news(drain);
        read_done(drain);
        read_returns(drain);
        if (!drain->is_open)
                return false;
        if (atomic_load(&drain->is_stopping)) {
                tries_forget_unrecorded(drain);
        } else {
                tries_record_again(drain);
                tries_drop(drain);
                tries_hand_out(drain);
                is_busy = upkeep_sweep(drain);
                upkeep_move(drain);
        }
        upkeep_publish(drain);
        return is_busy;
}

static void *drain_main(void *argument)
{
        struct journal_drain *drain = argument;

        thread_set_name("drain", 0);
        for (;;) {
                bool is_stopping = atomic_load(&drain->is_stopping);
                bool is_busy = turn(drain);
                upkeep_count(drain);
                bool is_flushed = flush(drain);
                if (is_stopping && is_flushed && drain->away == 0)
                        break;
                if (!is_busy)
                        rest(drain, !is_flushed || is_stopping);
        }
        counter_set(&drain->counters.metrics[METRIC_journal_waiting],
                    0); /* whoever has it next counts them */
        journal_note_drain_ended(drain->journal);
        return NULL;
}

bool journal_drain_init(struct journal_drain *drain, struct journal *journal,
                        const struct journal_drain_settings *settings, uint32_t hop_count,
                        struct log_writer *log)
{
        *drain = (struct journal_drain){.journal = journal,
                                        .settings = *settings,
                                        .hop_count = hop_count,
                                        .log = log,
                                        .waker = {.event_fd = -1},
                                        .dropping = JOURNAL_NONE};
        content_pool_init(&drain->pool, BLOCKS_KEPT);
        mail_namer_init(&drain->namer, NAMER);
        drain->news = channels_create(1, &drain->waker);
        drain->done = channels_create(1, &drain->waker);
        drain->returns = channels_create(hop_count, &drain->waker);
        drain->deliveries = calloc(hop_count, sizeof(struct channel *));
        if (!waker_open(&drain->waker) || drain->news == NULL || drain->done == NULL ||
            drain->returns == NULL || drain->deliveries == NULL)
                return false;
        journal_connect_drain(journal, &drain->index, drain->news, drain->done);
        return true;
}

void journal_drain_connect(struct journal_drain *drain, uint32_t hop, struct channel *deliveries)
{
        drain->deliveries[hop] = deliveries;
}

bool journal_drain_start(struct journal_drain *drain)
{
        return pthread_create(&drain->thread, NULL, drain_main, drain) == 0;
}

enum journal_drop journal_drain_drop(struct journal_drain *drain, uint64_t sequence)
{
        uint64_t until_ms = clock_monotonic_ms() + JOURNAL_DROP_WAIT_MS;

        if (atomic_load(&drain->to_drop) != 0)
                return JOURNAL_DROP_LATE; /* the one before is under way still */
        if (sequence == 0)
                return JOURNAL_DROP_UNKNOWN;
        atomic_store(&drain->to_drop, sequence);
        waker_wake(&drain->waker);
        while (atomic_load(&drain->to_drop) != 0 && !atomic_load(&drain->is_stopping) &&
               clock_monotonic_ms() < until_ms)
                nanosleep(&(struct timespec){.tv_nsec = RETRY_MS * 1000000L}, NULL);
        return atomic_load(&drain->to_drop) == 0 ? drain->dropped : JOURNAL_DROP_LATE;
}

void journal_drain_stop(struct journal_drain *drain)
{
        atomic_store(&drain->is_stopping, true);
        waker_wake(&drain->waker);
}

bool journal_drain_join(struct journal_drain *drain, uint64_t until_ms)
{
        return clock_join_thread(drain->thread, until_ms);
}

/* What the writer has told of last, and nobody has read. */
static void forget_news(struct journal_drain *drain)
{
        struct parcel *parcel;

        free(drain->unread);
        while (drain->news != NULL &&
               (channel_flush(drain->news), parcel = channel_receive(drain->news)) != NULL)
                free((struct journal_news *)parcel);
}

void journal_drain_end(struct journal_drain *drain)
{
        forget_news(drain);
        waker_close(&drain->waker);
        free(drain->news);
        free(drain->done);
        free(drain->returns);
        free(drain->deliveries);
        journal_index_end(&drain->index);
        content_pool_end(&drain->pool);
}
