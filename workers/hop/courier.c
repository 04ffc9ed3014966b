/* Transfers on their way: the jobs that workers send, what becomes of them, and the reports. */
#include "workers/hop/internal.h"

void courier_report(struct hop_thread *thread, struct transfer_job *job)
{
        struct transfer *transfer = job->transfer;

        if (transfer->delivery != NULL)
                drained_report(thread, transfer);
        else
                channel_send(thread->reports[transfer->worker], &job->parcel);
}

/* ---- ends ---------------------------------------------------------------------------------------------- */

/* It is nowhere any more. Its last report is to follow, after which the worker may free it. */
static void forget(struct hop_thread *thread, struct transfer *transfer)
{
        transfer->is_ended = true;
        TAILQ_REMOVE(&thread->transfers, transfer, entry);
}

static void report_opening(struct hop_thread *thread, struct transfer *transfer)
{
        struct transfer_job *opening = transfer->opening;

        TAILQ_REMOVE(&thread->openings, transfer, openings);
        transfer->opening = NULL;
        courier_report(thread, opening);
}

static void report_jobs(struct hop_thread *thread, struct transfer *transfer)
{
        struct transfer_job *job;

        while ((job = STAILQ_FIRST(&transfer->jobs)) != NULL) {
                bool is_last = job->kind == TRANSFER_STORE;
                STAILQ_REMOVE_HEAD(&transfer->jobs, entry);
                if (is_last)
                        forget(thread, transfer);
                courier_report(thread, job);
                if (is_last)
                        return;
        }
}

/* Each recipient has its fate. */
static void finish(struct hop_thread *thread, struct transfer *transfer)
{
        transfer->is_over = true;
        remember_fates(thread, transfer);
        if (transfer->opening == NULL) {
                report_jobs(thread, transfer);
                return;
        }
        forget(thread, transfer);
        report_opening(thread, transfer);
}

/* Wherever it is, it is there no more. */
static void withdraw(struct hop_thread *thread, struct transfer *transfer)
{
        if (transfer->is_over)
                return;
        if (transfer->target != NULL)
                target_dequeue(transfer->target, transfer);
        else if (transfer->connection != NULL)
                dialogue_abandon(thread, transfer);
        else
                TAILQ_REMOVE(&thread->seeking, transfer, waiting);
        transfer->is_over = true;
}

void courier_withdraw(struct hop_thread *thread, struct transfer *transfer)
{
        withdraw(thread, transfer);
        if (transfer->opening != NULL)
                TAILQ_REMOVE(&thread->openings, transfer, openings);
        forget(thread, transfer);
}

/* ---- the way to a hop ---------------------------------------------------------------------------------- */

void courier_seek(struct hop_thread *thread, struct transfer *transfer)
{
        TAILQ_INSERT_TAIL(&thread->seeking, transfer, waiting);
}

/* No hop has said this. */
static void fail(struct hop_thread *thread, struct transfer *transfer, const char *reason)
{
        struct hop_answer answer;

        reply_say(&answer, "", reason);
        transfer_settle_rest(transfer, FATE_BROKEN, &answer);
        finish(thread, transfer);
}

static void find_target(struct hop_thread *thread, struct transfer *transfer)
{
        struct hop_target *target = target_choose(thread, transfer);

        if (target == NULL) {
                fail(thread, transfer, "no next hop takes mail now");
                return;
        }
        transfer_forget_answers(transfer);
        target_enqueue(thread, target, transfer);
}

void courier_look(struct hop_thread *thread)
{
        struct transfer *transfer;

        while ((transfer = TAILQ_FIRST(&thread->openings)) != NULL &&
               thread->now_ms >= transfer->deadline_ms) {
                withdraw(thread, transfer);
                fail(thread, transfer, "no next hop was ready in time");
        }
        while ((transfer = TAILQ_FIRST(&thread->seeking)) != NULL) {
                TAILQ_REMOVE(&thread->seeking, transfer, waiting);
                find_target(thread, transfer);
        }
}

int courier_wait_ms(const struct hop_thread *thread)
{
        const struct transfer *first = TAILQ_FIRST(&thread->openings);

        if (!TAILQ_EMPTY(&thread->seeking))
                return 0;
        if (first == NULL)
                return -1;
        return first->deadline_ms > thread->now_ms ? (int)(first->deadline_ms - thread->now_ms) : 0;
}

/* ---- what a hop makes of it ---------------------------------------------------------------------------- */

void courier_opened(struct hop_thread *thread, struct transfer *transfer)
{
        transfer->is_open = true;
        report_opening(thread, transfer);
}

static void judge_target(struct hop_thread *thread, struct hop_target *target,
                         const struct transfer *transfer, bool may_repeat)
{
        bool is_broken = transfer_count(transfer, FATE_BROKEN) + transfer_count(transfer, FATE_UNKNOWN) > 0;

        if (!is_broken)
                target_lives(thread, target);
        else if (!may_repeat)
                target_failed(thread, target, transfer->answers[0].text);
}

void courier_over(struct hop_thread *thread, struct hop_target *target, struct transfer *transfer,
                  bool may_repeat)
{
        transfer->connection = NULL;
        hop_count_fates(thread, target, transfer);
        judge_target(thread, target, transfer, may_repeat);
        if (transfer->is_open || transfer_count(transfer, FATE_BROKEN) == 0) {
                finish(thread, transfer);
                return;
        }
        if (may_repeat)
                transfer->tried &= ~(1u << (transfer->hop - transfer->hops));
        courier_seek(thread, transfer);
}

/* ---- jobs ---------------------------------------------------------------------------------------------- */

static void begin(struct hop_thread *thread, struct transfer_job *job, uint32_t worker)
{
        struct transfer *transfer = job->transfer;

        transfer->worker = worker;
        transfer->opening = job;
        transfer->deadline_ms = thread->now_ms + thread->settings.open_ms;
        TAILQ_INSERT_TAIL(&thread->transfers, transfer, entry);
        TAILQ_INSERT_TAIL(&thread->openings, transfer, openings);
        courier_seek(thread, transfer);
}

static void abandon(struct hop_thread *thread, struct transfer_job *job)
{
        struct transfer *transfer = job->transfer;

        if (!transfer->is_ended) {
                withdraw(thread, transfer);
                if (transfer->opening != NULL)
                        report_opening(thread, transfer);
                report_jobs(thread, transfer);
                forget(thread, transfer);
        }
        courier_report(thread, job);
}

void courier_take(struct hop_thread *thread, struct transfer_job *job, uint32_t worker)
{
        struct transfer *transfer = job->transfer;

        switch (job->kind) {
        case TRANSFER_OPEN:
                begin(thread, job, worker);
                break;
        case TRANSFER_APPEND:
        case TRANSFER_STORE:
                STAILQ_INSERT_TAIL(&transfer->jobs, job, entry);
                if (transfer->is_over)
                        report_jobs(thread, transfer);
                else if (transfer->connection != NULL)
                        hop_connection_advance(thread, transfer->connection, HOP_WAITS);
                break;
        case TRANSFER_ABORT:
                abandon(thread, job);
                break;
        }
}
