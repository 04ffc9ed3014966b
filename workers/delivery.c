/* The delivery thread: takes all jobs that wait as one batch, and runs the batch step by step, so that jobs
 * share the syncs of their directories. */
#include "workers/delivery.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#define BATCH_MAX        64
#define ARENA_BLOCK_SIZE 16384
#define ARENA_MAX        (64u << 20) /* a hundred thousand recipients with long paths */
#define PATH_ROOM        4096

/* ---- spools (worker) --------------------------------------------------------------------------------- */

static const struct recipient *next_in_maildir(const struct recipient *recipient)
{
        while (recipient != NULL && recipient->domain->deliver.kind != DELIVER_MAILDIR)
                recipient = recipient->next;
        return recipient;
}

bool message_is_discarded(const struct message *message)
{
        return next_in_maildir(message->recipients) == NULL;
}

struct spool *spool_create(const struct message *message, uint32_t delivery, void *owner)
{
        const struct recipient *first = next_in_maildir(message->recipients);
        char path_octets[PATH_ROOM];
        struct text path;

        text_over(&path, path_octets, sizeof path_octets);
        expect(first != NULL);
        if (!maildir_path_write(&path, first->domain->deliver.path, first->domain->name, first->mailbox))
                return NULL;
        struct spool *spool = malloc(sizeof *spool + path.length + message->sender.length);
        if (spool == NULL)
                return NULL;
        *spool = (struct spool){
            .delivery = delivery,
            .newline = message->newline,
            .sender = span_of(spool->octets + path.length, message->sender.length),
            .mailbox = spool->octets,
            .owner = owner,
            .outcome = STORE_DONE,
            .mail = {.fd = -1},
        };
        memcpy(spool->id, message->id, sizeof spool->id);
        memcpy(spool->octets, path.at, path.length);
        if (message->sender.length > 0)
                memcpy(spool->octets + path.length, message->sender.at, message->sender.length);
        return spool;
}

/* ---- failures ---------------------------------------------------------------------------------------- */

/* At most one line a second: a full disk concerns every message. */
static void complain(struct delivery *delivery, const char *path, const char *reason)
{
        char unsaid[24];
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
        if ((uint64_t)now.tv_sec == delivery->complaint_s) {
                delivery->complaints_unsaid++;
                return;
        }
        snprintf(unsaid, sizeof unsaid, "%llu", (unsigned long long)delivery->complaints_unsaid);
        log_event(delivery->log, "store_failed", "path", path, "reason", reason, "more_before", unsaid, NULL);
        delivery->complaint_s = (uint64_t)now.tv_sec;
        delivery->complaints_unsaid = 0;
}

/* The outcome that errno stands for. */
static enum store_outcome fail(struct delivery *delivery, const char *path)
{
        int error = errno;
        complain(delivery, path, strerror(error));
        return error == ENOSPC || error == EDQUOT || error == EFBIG ? STORE_FULL : STORE_FAILED;
}

/* ---- spools (thread) --------------------------------------------------------------------------------- */

static void spool_begin(struct delivery *delivery, struct spool *spool)
{
        spool->is_begun = true;
        if (delivery->spool_count == delivery->spools_max) {
                complain(delivery, spool->mailbox, "too many long messages at a time");
                spool->outcome = STORE_FAILED;
                return;
        }
        spool->first.mailbox = spool->mailbox;
        delivery->spool_count++;
        if (!mail_begin(&spool->mail, &delivery->namer, &spool->first, spool->sender, spool->newline))
                spool->outcome = fail(delivery, spool->mailbox);
}

/* Its descriptor is closed, or about to be. */
static void spool_leave(struct delivery *delivery, struct spool *spool)
{
        if (spool->first.mailbox != NULL)
                delivery->spool_count--;
        spool->first.mailbox = NULL;
}

static void spool_abort(struct delivery *delivery, struct spool *spool)
{
        mail_undo(&spool->mail, &spool->first);
        spool_leave(delivery, spool);
}

static void spool_append(struct delivery *delivery, struct spool *spool, const struct content *content)
{
        if (!spool->is_begun)
                spool_begin(delivery, spool);
        if (spool->outcome == STORE_DONE && !mail_write(&spool->mail, content, spool->newline))
                spool->outcome = fail(delivery, spool->mailbox);
        if (spool->outcome != STORE_DONE)
                spool_abort(delivery, spool);
}

/* ---- steps of a batch -------------------------------------------------------------------------------- */

static struct mail_copy *add_copy(struct delivery *delivery, const struct recipient *recipient)
{
        char path_octets[PATH_ROOM];
        struct text path;

        text_over(&path, path_octets, sizeof path_octets);
        if (!maildir_path_write(&path, recipient->domain->deliver.path, recipient->domain->name,
                                recipient->mailbox)) {
                errno = ENAMETOOLONG;
                return NULL;
        }
        struct mail_copy *copy = arena_take(&delivery->arena, sizeof *copy);
        struct span kept = arena_copy(&delivery->arena, text_span(&path));
        if (copy == NULL || kept.at == NULL) {
                errno = ENOMEM;
                return NULL;
        }
        *copy = (struct mail_copy){.mailbox = kept.at};
        return copy;
}

/* One copy for each Maildir among the recipients, in their order. */
static bool list_copies(struct delivery *delivery, const struct message *message,
                        struct mail_copy **ret_copies)
{
        struct name_table known = {0};
        struct mail_copy *copies = NULL, **end = &copies;
        bool is_listed = true;

        for (const struct recipient *recipient = next_in_maildir(message->recipients);
             recipient != NULL && is_listed; recipient = next_in_maildir(recipient->next)) {
                struct mail_copy *copy = add_copy(delivery, recipient);
                is_listed = copy != NULL;
                if (!is_listed || name_table_find(&known, span_from(copy->mailbox), NULL))
                        continue;
                is_listed =
                    message->recipient_count == 1 || name_table_add(&known, span_from(copy->mailbox), 0);
                *end = copy;
                end = &copy->next;
        }
        name_table_end(&known);
        if (is_listed)
                *ret_copies = copies;
        return is_listed;
}

static void job_fail(struct delivery *delivery, struct delivery_job *job, const char *path)
{
        job->outcome = fail(delivery, path);
        mail_undo(job->mail, job->copies);
}

/* Text in tmp/ of every Maildir, durable. */
static void job_write(struct delivery *delivery, struct delivery_job *job)
{
        const struct message *message = job->message;
        struct mail_copy *first = job->copies;
        bool is_written;

        if (job->spool != NULL) {
                job->mail = &job->spool->mail;
                *first =
                    (struct mail_copy){.next = first->next, .mailbox = first->mailbox, .is_in_tmp = true};
                is_written = mail_write(job->mail, &job->content, job->spool->newline);
        } else {
                is_written =
                    mail_begin(job->mail, &delivery->namer, first, message->sender, message->newline) &&
                    mail_write(job->mail, &job->content, message->newline);
        }
        if (!is_written || !mail_sync(job->mail)) {
                job_fail(delivery, job, first->mailbox);
                return;
        }
        for (struct mail_copy *copy = first->next; copy != NULL; copy = copy->next)
                if (!mail_link(job->mail, first, copy)) {
                        job_fail(delivery, job, copy->mailbox);
                        return;
                }
}

static void job_begin(struct delivery *delivery, struct delivery_job *job)
{
        struct spool *spool = job->spool;

        job->outcome = STORE_DONE;
        job->mail = arena_take(&delivery->arena, sizeof *job->mail);
        job->copies = NULL;
        if (job->mail == NULL || !list_copies(delivery, job->message, &job->copies)) {
                job->outcome = fail(delivery, job->message->id);
        } else if (job->copies != NULL) {
                job->mail->fd = -1;
                if (spool != NULL && spool->outcome != STORE_DONE)
                        job->outcome = spool->outcome;
                else
                        job_write(delivery, job);
        }
        if (spool == NULL)
                return;
        if (job->outcome != STORE_DONE)
                spool_abort(delivery, spool);
        spool_leave(delivery, spool);
}

static void job_publish(struct delivery *delivery, struct delivery_job *job)
{
        for (struct mail_copy *copy = job->copies; copy != NULL; copy = copy->next)
                if (!mail_publish(job->mail, copy)) {
                        job_fail(delivery, job, copy->mailbox);
                        return;
                }
}

/* `synced`: the batch's directories so far, with the error number of their sync. */
static void job_sync(struct delivery *delivery, struct delivery_job *job, struct name_table *synced)
{
        for (struct mail_copy *copy = job->copies; copy != NULL; copy = copy->next) {
                struct span mailbox = span_from(copy->mailbox);
                uint32_t error;
                if (!name_table_find(synced, mailbox, &error)) {
                        error = maildir_sync_new(copy->mailbox) ? 0 : (uint32_t)errno;
                        /* Without memory for this note, the next one syncs again. */
                        name_table_add(synced, mailbox, error);
                }
                if (error != 0) {
                        errno = (int)error;
                        job_fail(delivery, job, copy->mailbox);
                        return;
                }
        }
}

static void run_batch(struct delivery *delivery, struct delivery_job **jobs, size_t count)
{
        struct name_table synced = {0};

        for (size_t i = 0; i < count; i++) {
                switch (jobs[i]->kind) {
                case DELIVERY_APPEND:
                        spool_append(delivery, jobs[i]->spool, &jobs[i]->content);
                        break;
                case DELIVERY_STORE:
                        job_begin(delivery, jobs[i]);
                        break;
                case DELIVERY_ABORT:
                        spool_abort(delivery, jobs[i]->spool);
                        break;
                }
        }
        for (size_t i = 0; i < count; i++)
                if (jobs[i]->kind == DELIVERY_STORE && jobs[i]->outcome == STORE_DONE)
                        job_publish(delivery, jobs[i]);
        for (size_t i = 0; i < count; i++)
                if (jobs[i]->kind == DELIVERY_STORE && jobs[i]->outcome == STORE_DONE)
                        job_sync(delivery, jobs[i], &synced);
        name_table_end(&synced);
        arena_end(&delivery->arena);
}

/* ---- thread ------------------------------------------------------------------------------------------ */

/* Takes jobs from every worker in turn, and notes whose they are. */
static size_t take_batch(struct delivery *delivery, struct delivery_job **jobs, uint32_t *workers)
{
        size_t count = 0, before;

        do {
                before = count;
                for (uint32_t i = 0; i < delivery->worker_count && count < BATCH_MAX; i++) {
                        struct delivery_job *job = (struct delivery_job *)channel_receive(&delivery->jobs[i]);
                        if (job == NULL)
                                continue;
                        jobs[count] = job;
                        workers[count++] = i;
                }
        } while (count > before && count < BATCH_MAX);
        return count;
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

static void *delivery_main(void *argument)
{
        struct delivery *delivery = argument;
        struct delivery_job *jobs[BATCH_MAX];
        uint32_t workers[BATCH_MAX];

        for (;;) {
                bool is_stopping = atomic_load(&delivery->is_stopping);
                size_t count = take_batch(delivery, jobs, workers);
                run_batch(delivery, jobs, count);
                for (size_t i = 0; i < count; i++)
                        channel_send(delivery->reports[workers[i]], &jobs[i]->parcel);
                bool has_overflow = !flush_reports(delivery);
                if (count == 0 && is_stopping && !has_overflow)
                        return NULL;
                if (count == 0)
                        delivery_rest(delivery, has_overflow);
        }
}

bool delivery_init(struct delivery *delivery, uint32_t number, uint32_t worker_count, uint32_t spools_max,
                   struct log_writer *log)
{
        *delivery = (struct delivery){.number = number,
                                      .worker_count = worker_count,
                                      .spools_max = spools_max,
                                      .log = log,
                                      .waker = {.event_fd = -1}};
        mail_namer_init(&delivery->namer, number);
        block_pool_init(&delivery->pool, ARENA_BLOCK_SIZE, 16);
        arena_init(&delivery->arena, &delivery->pool, ARENA_MAX);
        delivery->jobs = channels_create(worker_count, &delivery->waker);
        delivery->reports = calloc(worker_count, sizeof(struct channel *));
        return waker_open(&delivery->waker) && delivery->jobs != NULL && delivery->reports != NULL;
}

bool delivery_start(struct delivery *delivery)
{
        return pthread_create(&delivery->thread, NULL, delivery_main, delivery) == 0;
}

void delivery_stop(struct delivery *delivery)
{
        atomic_store(&delivery->is_stopping, true);
        waker_wake(&delivery->waker);
        pthread_join(delivery->thread, NULL);
}

void delivery_end(struct delivery *delivery)
{
        waker_close(&delivery->waker);
        block_pool_end(&delivery->pool);
        free(delivery->jobs);
        free(delivery->reports);
}
