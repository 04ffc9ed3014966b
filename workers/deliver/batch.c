/* A batch of jobs, step by step, so that they share the syncs of their files and directories: text in tmp/,
 * its sync, links and renames, their sync. A job that fails at a step is undone and takes no part in the next
 * ones. */
#include "workers/deliver/batch.h"

#include "core/mail/front.h"
#include "dns/clock.h"

#include <errno.h>
#include <string.h>
#include <time.h>

/* ---- failures ------------------------------------------------------------------------------------------ */

/* At most one line a second: a full disk concerns every message. `id` is the message's. */
static void complain(struct delivery *delivery, const char *id, const char *path, const char *reason)
{
        uint64_t now_s = clock_monotonic_coarse_ms() / 1000;

        if (now_s == delivery->complaint_s) {
                delivery->complaints_unsaid++;
                return;
        }
        log_event(delivery->log, "store_failed", "id", id, "path", path, "reason", reason,
                  LOG_NUMBER("more_before", delivery->complaints_unsaid), NULL);
        delivery->complaint_s = now_s;
        delivery->complaints_unsaid = 0;
}

/* Tells of errno, and returns the outcome that it stands for; *ret_reason is a constant. */
static enum store_outcome fail(struct delivery *delivery, const char *id, const char *path,
                               const char **ret_reason)
{
        int error = errno;
        const char *reason = strerrordesc_np(error);

        *ret_reason = reason == NULL ? "unknown error" : reason;
        complain(delivery, id, path, *ret_reason);
        return error == ENOSPC || error == EDQUOT || error == EFBIG ? STORE_FULL : STORE_FAILED;
}

/* ---- spools (thread) ----------------------------------------------------------------------------------- */

static void spool_begin(struct delivery *delivery, struct spool *spool)
{
        static const struct content nothing = {0};

        spool->is_begun = true;
        if (delivery->spool_count == delivery->spools_max) {
                spool->reason = "too many long messages at a time";
                complain(delivery, spool->id, spool->mailbox, spool->reason);
                spool->outcome = STORE_FAILED;
                return;
        }
        spool->first = (struct mail_copy){.mailbox = spool->mailbox, .front = spool->front};
        delivery->spool_count++;
        if (!mail_begin(&spool->mail, &delivery->namer, &spool->first, &nothing, spool->newline))
                spool->outcome = fail(delivery, spool->id, spool->mailbox, &spool->reason);
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
                spool->outcome = fail(delivery, spool->id, spool->mailbox, &spool->reason);
        if (spool->outcome != STORE_DONE)
                spool_abort(delivery, spool);
}

/* ---- steps of a batch ---------------------------------------------------------------------------------- */

bool recipient_path_write(struct text *path, const struct message *message, const struct recipient *recipient)
{
        const struct domain *domain = domain_of_mailboxes(recipient->domain);
        const char *folder = domain->options.quarantine_folder;
        size_t before = path->length;

        if (!maildir_path_write(path, recipient_deliver(recipient)->path, domain->name, recipient->mailbox))
                return false;
        if (!message->is_quarantined || folder[0] == '\0')
                return true;
        path->length--; /* its terminator */
        text_put(path, SPAN("/."));
        text_put_string(path, folder);
        text_put_char(path, '\0');
        if (!path->overflowed)
                return true;
        path->length = before;
        return false;
}

static struct mail_copy *add_copy(struct delivery *delivery, const struct message *message,
                                  const struct recipient *recipient)
{
        char path_octets[PATH_ROOM], front_octets[FRONT_MAX];
        struct text path, front;

        text_over(&path, path_octets, sizeof path_octets);
        text_over(&front, front_octets, sizeof front_octets);
        if (!recipient_path_write(&path, message, recipient)) {
                errno = ENAMETOOLONG;
                return NULL;
        }
        struct mail_copy *copy = arena_take(delivery->arena, sizeof *copy);
        front_write(&front, message, recipient);
        struct span kept = arena_copy(delivery->arena, text_span(&path));
        struct span kept_front = arena_copy(delivery->arena, text_span(&front));
        if (copy == NULL || kept.at == NULL || kept_front.at == NULL) {
                errno = ENOMEM;
                return NULL;
        }
        *copy = (struct mail_copy){.mailbox = kept.at, .front = kept_front};
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
                struct mail_copy *copy = add_copy(delivery, message, recipient);
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
        job->outcome = fail(delivery, job->message->id, path, &job->reason);
        mail_undo(job->mail, job->copies);
}

/* Writes the text to tmp/ of the first Maildir. */
static bool write_text(struct delivery *delivery, struct delivery_job *job)
{
        const struct message *message = job->message;
        struct mail_copy *first = job->copies;

        if (job->spool == NULL)
                return mail_begin(job->mail, &delivery->namer, first, &job->content, message->newline);
        job->mail = &job->spool->mail;
        first->is_in_tmp = true;
        return mail_write(job->mail, &job->content, job->spool->newline);
}

/* Durable at once, or with the batch. */
static void job_write(struct delivery *delivery, struct delivery_job *job)
{
        bool is_done = write_text(delivery, job);

        memcpy(job->file, job->mail->name, sizeof job->file);
        if (is_done && delivery->is_sharing)
                job->system = shared_sync_note(&delivery->shared, job->mail->fd);
        /* What of a long one was not written back before the batch began, only its own file tells. */
        bool is_shared = job->system != SHARED_SYNC_NONE && job->spool == NULL;
        if (is_done)
                is_done = is_shared ? mail_close(job->mail) : mail_sync(job->mail);
        if (!is_done)
                job_fail(delivery, job, job->copies->mailbox);
}

static void job_begin(struct delivery *delivery, struct delivery_job *job)
{
        struct spool *spool = job->spool;

        job->outcome = STORE_DONE;
        job->mail = arena_take(delivery->arena, sizeof *job->mail);
        job->copies = NULL;
        job->system = SHARED_SYNC_NONE;
        if (job->mail == NULL || !list_copies(delivery, job->message, &job->copies)) {
                job->outcome = fail(delivery, job->message->id, "", &job->reason);
        } else if (job->copies != NULL) {
                job->mail->fd = -1;
                if (spool == NULL || spool->outcome == STORE_DONE) {
                        job_write(delivery, job);
                } else {
                        job->outcome = spool->outcome;
                        job->reason = spool->reason;
                }
        }
        if (spool == NULL)
                return;
        if (job->outcome != STORE_DONE)
                spool_abort(delivery, spool);
        spool_leave(delivery, spool);
}

/* The text is durable: into every Maildir with it. */
static void job_publish(struct delivery *delivery, struct delivery_job *job)
{
        struct mail_copy *first = job->copies;

        if (first == NULL)
                return;
        for (struct mail_copy *copy = first->next; copy != NULL; copy = copy->next)
                if (!mail_link(job->mail, first, copy)) {
                        job_fail(delivery, job, copy->mailbox);
                        return;
                }
        for (struct mail_copy *copy = first; copy != NULL; copy = copy->next)
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

static bool is_storing(const struct delivery_job *job)
{
        return job->kind == DELIVERY_STORE && job->outcome == STORE_DONE;
}

/* ---- rounds -------------------------------------------------------------------------------------------- */

static void job_run(struct delivery *delivery, struct delivery_job *job)
{
        switch (job->kind) {
        case DELIVERY_APPEND:
                spool_append(delivery, job->spool, &job->content);
                break;
        case DELIVERY_STORE:
                job_begin(delivery, job);
                break;
        case DELIVERY_ABORT:
                spool_abort(delivery, job->spool);
                break;
        }
}

static void batch_check_sync(struct delivery *delivery, struct delivery_batch *batch)
{
        for (size_t i = 0; i < batch->count; i++) {
                struct delivery_job *job = batch->jobs[i];
                if (is_storing(job) && job->system != SHARED_SYNC_NONE &&
                    !shared_sync_is_done(&delivery->shared, job->system))
                        job_fail(delivery, job, job->copies->mailbox);
        }
}

/* The file system's sync does for the folders of all its copies. */
static bool job_shares_folders(const struct delivery_job *job)
{
        for (const struct mail_copy *copy = job->copies; copy != NULL; copy = copy->next)
                if (copy->is_elsewhere)
                        return false;
        return job->system != SHARED_SYNC_NONE;
}

/* Puts the job at place `i` among the first `done`, and gives their new number. */
static size_t batch_settle(struct delivery_batch *batch, size_t i, size_t done)
{
        struct delivery_job *job = batch->jobs[i];
        uint32_t worker = batch->workers[i];

        batch->jobs[i] = batch->jobs[done];
        batch->workers[i] = batch->workers[done];
        batch->jobs[done] = job;
        batch->workers[done] = worker;
        return done + 1;
}

static size_t batch_publish(struct delivery *delivery, struct delivery_batch *batch)
{
        struct name_table synced = {0};
        size_t done = 0;

        for (size_t i = 0; i < batch->count; i++)
                if (is_storing(batch->jobs[i]))
                        job_publish(delivery, batch->jobs[i]);
        for (size_t i = 0; i < batch->count; i++) {
                struct delivery_job *job = batch->jobs[i];
                bool shares = is_storing(job) && job_shares_folders(job);
                if (is_storing(job) && !shares)
                        job_sync(delivery, job, &synced);
                if (!shares)
                        done = batch_settle(batch, i, done);
        }
        name_table_end(&synced);
        return done;
}

size_t delivery_run_batch(struct delivery *delivery, struct delivery_batch *begun,
                          struct delivery_batch *published)
{
        size_t stores = 0;

        for (size_t i = 0; i < begun->count; i++)
                stores += begun->jobs[i]->kind == DELIVERY_STORE;
        delivery->is_sharing =
            published->count > 0 || (delivery->sync_together > 0 && stores >= delivery->sync_together);
        delivery->arena = &begun->arena;
        for (size_t i = 0; i < begun->count; i++)
                job_run(delivery, begun->jobs[i]);
        if (delivery->is_sharing) {
                shared_sync_run(&delivery->shared);
                batch_check_sync(delivery, begun);
                batch_check_sync(delivery, published);
        }
        return batch_publish(delivery, begun);
}
