/* The delivery thread: takes all jobs that wait as one batch, has them run, and reports. */
#include "workers/deliver/batch.h"

#include "core/mail/front.h"
#include "dns/clock.h"
#include "workers/thread/name.h"

#include <time.h>

#define ARENA_BLOCK_SIZE 16384
#define ARENA_MAX        (64u << 20) /* a hundred thousand recipients with long paths */

/* ---- spools (worker) ----------------------------------------------------------------------------------- */

bool message_is_discarded(const struct message *message)
{
        return next_in_maildir(message->recipients) == NULL;
}

struct spool *spool_create(const struct message *message, uint32_t delivery, void *owner)
{
        const struct recipient *first = next_in_maildir(message->recipients);
        char path_octets[PATH_ROOM], front_octets[FRONT_MAX];
        struct text path, front;

        text_over(&path, path_octets, sizeof path_octets);
        text_over(&front, front_octets, sizeof front_octets);
        if (first != NULL && !recipient_path_write(&path, message, first))
                return NULL;
        if (first != NULL)
                front_write(&front, message, first);
        struct spool *spool = malloc(sizeof *spool + path.length + front.length);
        if (spool == NULL)
                return NULL;
        *spool = (struct spool){
            .delivery = delivery,
            .newline = message->newline,
            .mailbox = spool->octets,
            .front = span_of(spool->octets + path.length, front.length),
            .owner = owner,
            .outcome = STORE_DONE,
            .mail = {.fd = -1},
        };
        memcpy(spool->id, message->id, sizeof spool->id);
        memcpy(spool->octets, path.at, path.length);
        memcpy(spool->octets + path.length, front.at, front.length);
        return spool;
}

/* ---- thread -------------------------------------------------------------------------------------------- */

/* Takes jobs from every worker in turn, and notes whose they are. */
static void batch_take(struct delivery *delivery, struct delivery_batch *batch)
{
        size_t before;

        batch->count = 0;
        do {
                before = batch->count;
                for (uint32_t i = 0; i < delivery->worker_count && batch->count < DELIVERY_BATCH_MAX; i++) {
                        struct delivery_job *job = (struct delivery_job *)channel_receive(&delivery->jobs[i]);
                        if (job == NULL)
                                continue;
                        batch->jobs[batch->count] = job;
                        batch->workers[batch->count++] = i;
                }
        } while (batch->count > before && batch->count < DELIVERY_BATCH_MAX);
}

/* Reports the first `count` jobs; the others move up. */
static void batch_report(struct delivery *delivery, struct delivery_batch *batch, size_t count)
{
        for (size_t i = 0; i < count; i++)
                channel_send(delivery->reports[batch->workers[i]], &batch->jobs[i]->parcel);
        batch->count -= count;
        memmove(batch->jobs, batch->jobs + count, batch->count * sizeof(struct delivery_job *));
        memmove(batch->workers, batch->workers + count, batch->count * sizeof batch->workers[0]);
        if (batch->count == 0)
                arena_end(&batch->arena);
}

static bool has_work(struct delivery *delivery)
{
        for (uint32_t i = 0; i < delivery->worker_count; i++)
                if (!channel_is_empty(&delivery->jobs[i]))
                        return true;
        return atomic_load(&delivery->is_stopping);
}

static bool flush_reports(struct delivery *delivery)
{
        bool is_all = true;
        for (uint32_t i = 0; i < delivery->worker_count; i++)
                is_all &= channel_flush(delivery->reports[i]);
        return is_all;
}

static void delivery_rest(struct delivery *delivery, bool has_overflow)
{
        if (has_overflow) {
                nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
                return;
        }
        waker_prepare(&delivery->waker);
        if (has_work(delivery))
                waker_stay_awake(&delivery->waker);
        else
                waker_sleep(&delivery->waker);
}

/* False when there is nothing to do. */
static bool delivery_round(struct delivery *delivery)
{
        struct delivery_batch *begun = &delivery->batches[delivery->turn];
        struct delivery_batch *published = &delivery->batches[1 - delivery->turn];

        batch_take(delivery, begun);
        if (begun->count + published->count == 0) {
                shared_sync_end(&delivery->shared);
                return false;
        }
        size_t done = delivery_run_batch(delivery, begun, published);
        batch_report(delivery, published, published->count);
        batch_report(delivery, begun, done);
        delivery->turn = 1 - delivery->turn;
        return true;
}

static void *delivery_main(void *argument)
{
        struct delivery *delivery = argument;

        thread_set_name("delivery", delivery->number);
        for (;;) {
                bool is_stopping = atomic_load(&delivery->is_stopping);
                bool was_idle = !delivery_round(delivery);
                bool has_overflow = !flush_reports(delivery);
                if (was_idle && is_stopping && !has_overflow)
                        return NULL;
                if (was_idle)
                        delivery_rest(delivery, has_overflow);
        }
}

bool delivery_init(struct delivery *delivery, uint32_t number, uint32_t worker_count, uint32_t spools_max,
                   uint64_t sync_together, struct log_writer *log)
{
        *delivery = (struct delivery){.number = number,
                                      .worker_count = worker_count,
                                      .spools_max = spools_max,
                                      .sync_together = sync_together,
                                      .log = log,
                                      .waker = {.event_fd = -1}};
        mail_namer_init(&delivery->namer, number);
        block_pool_init(&delivery->pool, ARENA_BLOCK_SIZE, 16);
        for (int i = 0; i < 2; i++)
                arena_init(&delivery->batches[i].arena, &delivery->pool, ARENA_MAX);
        delivery->jobs = channels_create(worker_count, &delivery->waker);
        delivery->reports = calloc(worker_count, sizeof(struct channel *));
        return waker_open(&delivery->waker) && delivery->jobs != NULL && delivery->reports != NULL;
}

void delivery_connect(struct delivery *delivery, uint32_t worker, struct channel *reports)
{
        delivery->reports[worker] = reports;
}

bool delivery_start(struct delivery *delivery)
{
        return pthread_create(&delivery->thread, NULL, delivery_main, delivery) == 0;
}

void delivery_stop(struct delivery *delivery)
{
        atomic_store(&delivery->is_stopping, true);
        waker_wake(&delivery->waker);
}

bool delivery_join(struct delivery *delivery, uint64_t until_ms)
{
        return clock_join_thread(delivery->thread, until_ms);
}

void delivery_end(struct delivery *delivery)
{
        waker_close(&delivery->waker);
        block_pool_end(&delivery->pool);
        free(delivery->jobs);
        free(delivery->reports);
}
