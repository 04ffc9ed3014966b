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

/* What holds for one who asked holds for those who asked the same. */
static void report_joined(struct hop_thread *thread, struct transfer *transfer)
{
        struct transfer *joined;

        while ((joined = TAILQ_FIRST(&transfer->joined)) != NULL) {
                TAILQ_REMOVE(&transfer->joined, joined, waiting);
                struct transfer_recipient *recipient = &joined->recipients[0];
                struct span address = recipient->address;
                *recipient = transfer->recipients[0];
                recipient->address = address;
                joined->answer_count = transfer->answer_count;
                joined->answers[0] = transfer->answers[0];
                courier_report(thread, &joined->first_job);
        }
}

static void report_opening(struct hop_thread *thread, struct transfer *transfer)
{
        struct transfer_job *opening = transfer->opening;

        TAILQ_REMOVE(transfer->is_callout ? &thread->callouts : &thread->openings, transfer, openings);
        transfer->opening = NULL;
        report_joined(thread, transfer);
        courier_report(thread, opening);
}

/* A callout counts at a target no longer. */
static void uncount(struct transfer *transfer)
{
        if (transfer->asked != NULL)
                transfer->asked->callouts--;
        transfer->asked = NULL;
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
        uncount(transfer);
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
        uncount(transfer);
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

static void fail_for_want_of_any(struct hop_thread *thread, struct transfer *transfer)
{
        char octets[HOP_ANSWER_TEXT_MAX];
        struct text reason;

        text_over(&reason, octets, sizeof octets - 1);
        text_put_string(&reason, "no next hop takes mail now");
        target_say_why(thread, transfer, &reason);
        octets[reason.length] = '\0';
        fail(thread, transfer, octets);
}

static void find_target(struct hop_thread *thread, struct transfer *transfer)
{
        struct hop_target *target = target_choose(thread, transfer);

        if (target == NULL) {
                fail_for_want_of_any(thread, transfer);
                return;
        }
        transfer_forget_answers(transfer);
        target_enqueue(thread, target, transfer);
}

/* Those whose time is up, the first of them first. */
static void give_up(struct hop_thread *thread, struct transfer_list *list, uint64_t until_ms)
{
        struct transfer *transfer;

        while ((transfer = TAILQ_FIRST(list)) != NULL && until_ms >= transfer->deadline_ms) {
                withdraw(thread, transfer);
                fail(thread, transfer, "no next hop was ready in time");
        }
}

void courier_look(struct hop_thread *thread)
{
        struct transfer *transfer;

        give_up(thread, &thread->openings, thread->now_ms);
        /* At a stop no question is waited for: its client is told 451, or has been told 421. */
        give_up(thread, &thread->callouts, atomic_load(&thread->is_stopping) ? UINT64_MAX : thread->now_ms);
        while ((transfer = TAILQ_FIRST(&thread->seeking)) != NULL) {
                TAILQ_REMOVE(&thread->seeking, transfer, waiting);
                find_target(thread, transfer);
        }
}

int courier_wait_ms(const struct hop_thread *thread)
{
        const struct transfer *firsts[] = {TAILQ_FIRST(&thread->openings), TAILQ_FIRST(&thread->callouts)};
        uint64_t due_ms = UINT64_MAX;

        if (!TAILQ_EMPTY(&thread->seeking))
                return 0;
        for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++)
                if (firsts[i] != NULL && firsts[i]->deadline_ms < due_ms)
                        due_ms = firsts[i]->deadline_ms;
        if (due_ms == UINT64_MAX)
                return -1;
        return due_ms > thread->now_ms ? (int)(due_ms - thread->now_ms) : 0;
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
                target_broke(thread, target, transfer);
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
        else
                transfer->was_broken_off = true;
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

static struct transfer *find_same(struct hop_thread *thread, const struct transfer *transfer)
{
        struct transfer *other;

        TAILQ_FOREACH(other, &thread->callouts, openings)
        if (key128_equals(&other->recipients[0].keys.recipient, &transfer->recipients[0].keys.recipient))
                return other;
        return NULL;
}

static void ask(struct hop_thread *thread, struct transfer_job *job, uint32_t worker)
{
        struct transfer *transfer = job->transfer, *same = find_same(thread, transfer);

        transfer->worker = worker;
        if (same != NULL) {
                transfer->is_joined = true;
                TAILQ_INSERT_TAIL(&same->joined, transfer, waiting);
                return;
        }
        transfer->opening = job;
        transfer->deadline_ms = thread->now_ms + thread->settings.callout_ms;
        TAILQ_INSERT_TAIL(&thread->transfers, transfer, entry);
        TAILQ_INSERT_TAIL(&thread->callouts, transfer, openings);
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
        case TRANSFER_ASK:
                ask(thread, job, worker);
                break;
        }
}
