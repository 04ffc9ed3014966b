/* Jobs to the delivery threads and reports from them. */
#include "workers/inbound/delivery_client.h"

#include "workers/inbound/hop/hop_client.h"
#include "workers/inbound/journal/journal_client.h"

/* A message that is longer than this is sent ahead in pieces: what a session holds at most. When memory is short
 * the disk takes more, as many descriptors as there are for it. */
static const size_t piece_min[] = {
    [BUDGET_EASY] = 256u << 10, [BUDGET_TIGHT] = 2 * CONTENT_BLOCK_ROOM, [BUDGET_SPENT] = 4096};
static const size_t in_flight_max[] = {[BUDGET_EASY] = 1u << 20, [BUDGET_TIGHT] = 1, [BUDGET_SPENT] = 1};

/* The journal is behind the last delivery thread, and all jobs would do for it. */
static uint32_t journal_number(const struct worker *worker)
{
        return worker->delivery_count;
}

static uint32_t writer_count(const struct worker *worker)
{
        return worker->delivery_count + (worker->journal != NULL);
}

static struct channel *jobs_of(const struct worker *worker, uint32_t writer)
{
        return writer == journal_number(worker) ? &worker->journal->jobs[worker->number]
                                                : &worker->deliveries[writer].jobs[worker->number];
}

static struct delivery_job *job_take(struct worker *worker, enum delivery_kind kind)
{
        struct journal_job *job = (struct journal_job *)worker->free_jobs;

        if (job != NULL)
                worker->free_jobs = (struct delivery_job *)atomic_load_explicit(&job->delivery.parcel.next,
                                                                                memory_order_relaxed);
        else
                job = malloc(sizeof *job);
        if (job == NULL)
                return NULL;
        *job = (struct journal_job){.delivery.kind = kind};
        return &job->delivery;
}

static void job_put_back(struct worker *worker, struct delivery_job *job)
{
        struct parcel *next = worker->free_jobs == NULL ? NULL : &worker->free_jobs->parcel;
        atomic_store_explicit(&job->parcel.next, next, memory_order_relaxed);
        worker->free_jobs = job;
}

static void job_send(struct worker *worker, struct delivery_job *job, uint32_t writer)
{
        job->octets = job->content.length;
        job->sent_ms = worker->host.now_ms;
        worker->jobs_sent[writer]++;
        worker->jobs_sent_total++;
        channel_send(jobs_of(worker, writer), &job->parcel);
}

/* The one with the fewest jobs of ours; equals take turns. */
static uint32_t choose_delivery(const struct worker *worker)
{
        uint32_t best = (uint32_t)(worker->jobs_sent_total % worker->delivery_count);

        for (uint32_t i = 0; i < worker->delivery_count; i++)
                if (worker->jobs_sent[i] < DELIVERY_BATCH_MAX)
                        best = i;
        return best;
}

/* Messages that are to share a sync go where others wait for one already. */
static uint32_t choose_batch(const struct worker *worker)
{
        for (uint32_t i = 0; i < worker->delivery_count; i++)
                if (worker->jobs_sent[i] < DELIVERY_BATCH_MAX)
                        return i;
        return choose_delivery(worker);
}

bool delivery_client_store(struct worker *worker, struct connection *connection,
                           struct store_report *ret_report)
{
        struct message *message = session_message(&connection->session);
        struct spool *spool = connection->spool;
        bool is_journals = journal_client_takes(worker, message);

        *ret_report = (struct store_report){.outcome = STORE_DONE};
        if (connection->transfer != NULL) {
                hop_client_store(worker, connection);
                return true;
        }
        expect(is_journals || recipient_deliver(message->recipients)->kind != DELIVER_HOPS);
        if (!is_journals && message_is_discarded(message))
                return false;
        struct delivery_job *job = job_take(worker, DELIVERY_STORE);
        *ret_report = (struct store_report){.outcome = STORE_FAILED, .reason = SPAN("out of memory")};
        if (job == NULL)
                return false;
        job->content = content_detach(&message->content);
        job->message = message;
        job->owner = connection;
        job->spool = spool;
        if (is_journals)
                journal_client_fill((struct journal_job *)job, connection);
        job_send(worker, job,
                 is_journals     ? journal_number(worker)
                 : spool != NULL ? spool->delivery
                                 : choose_batch(worker));
        return true;
}

bool delivery_client_keep(struct worker *worker, struct connection *connection, struct message *rest)
{
        struct delivery_job *job = job_take(worker, DELIVERY_STORE);

        if (job == NULL)
                return false;
        job->content = content_detach(&rest->content);
        job->message = rest;
        job->owner = connection;
        ((struct journal_job *)job)->rest = rest;
        journal_client_fill((struct journal_job *)job, connection);
        job_send(worker, job, journal_number(worker));
        return true;
}

/* A file in the making holds a descriptor. Short messages get some of them only, so that long ones find some. */
static bool may_spool(const struct worker *worker, const struct connection *connection,
                      const struct message *message)
{
        return connection->spool != NULL || connection->transfer != NULL ||
               message->content.length > piece_min[BUDGET_EASY] || journal_client_takes(worker, message) ||
               worker->spool_count < worker->spools_early_max;
}

static bool is_to_go_ahead(const struct worker *worker, const struct connection *connection,
                           const struct message *message)
{
        return !message->is_held && message->content.length > piece_min[worker->memory] &&
               !session_takes_text_whole(&connection->session) && may_spool(worker, connection, message);
}

static void spool_begin(struct worker *worker, struct connection *connection, const struct message *message)
{
        connection->spool = spool_create(
            message, journal_client_takes(worker, message) ? journal_number(worker) : choose_delivery(worker),
            connection);
        worker->spool_count += connection->spool != NULL;
}

static void spool_end(struct worker *worker, struct spool *spool)
{
        worker->spool_count -= spool != NULL;
        free(spool);
}

/* Without memory the text just stays here for now. */
static void send_piece(struct worker *worker, struct connection *connection, struct message *message)
{
        if (connection->transfer != NULL) {
                hop_client_send(worker, connection, message);
                return;
        }
        if (message_is_discarded(message) && !journal_client_takes(worker, message)) {
                content_release(&message->content, &worker->host.content_pool);
                return;
        }
        struct delivery_job *job = job_take(worker, DELIVERY_APPEND);

        if (job == NULL)
                return;
        if (connection->spool == NULL)
                spool_begin(worker, connection, message);
        if (connection->spool == NULL) {
                job_put_back(worker, job);
                return;
        }
        job->content = content_detach(&message->content);
        job->spool = connection->spool;
        job->spool->in_flight += job->content.length;
        job_send(worker, job, job->spool->delivery);
}

void delivery_client_abort(struct worker *worker, struct connection *connection)
{
        struct spool *spool = connection->spool;

        if (spool == NULL)
                return;
        connection->spool = NULL;
        spool->owner = NULL;
        struct delivery_job *job = job_take(worker, DELIVERY_ABORT);
        /* Only memory for the file's removal is missing: the file is left to whoever cleans tmp/. */
        if (job == NULL)
                return;
        job->spool = spool;
        job_send(worker, job, spool->delivery);
}

/* Of this id, if there is one. */
static bool is_of(const struct message *message, const char *id)
{
        return message != NULL && memcmp(message->id, id, sizeof message->id) == 0;
}

void delivery_client_text(struct worker *worker, struct connection *connection)
{
        struct session *session = &connection->session;

        if (session->state != SESSION_STATE_TEXT && connection->spool == NULL && connection->transfer == NULL)
                return;
        struct message *message = session_message(session);
        if (connection->spool != NULL && !is_of(message, connection->spool->id))
                delivery_client_abort(worker, connection);
        if (connection->transfer != NULL && session->state != SESSION_STATE_OPEN &&
            !is_of(message, connection->transfer->id))
                hop_client_abort(worker, connection);
        if (connection->transfer != NULL && worker->memory != BUDGET_EASY)
                hop_client_keep_nothing(worker, connection->transfer);
        if (session->state == SESSION_STATE_TEXT && message != NULL &&
            is_to_go_ahead(worker, connection, message))
                send_piece(worker, connection, message);
}

bool delivery_client_is_congested(const struct worker *worker, const struct connection *connection)
{
        size_t in_flight = connection->spool != NULL      ? connection->spool->in_flight
                           : connection->transfer != NULL ? connection->transfer->in_flight
                                                          : 0;
        return in_flight >= in_flight_max[worker->memory];
}

static struct store_report report_of(const struct delivery_job *job)
{
        struct store_report report = {.outcome = job->outcome};

        if (job->outcome == STORE_DONE)
                report.file = span_of(job->file, strnlen(job->file, sizeof job->file));
        else if (job->reason != NULL)
                report.reason = span_from(job->reason);
        return report;
}

static void take_report(struct worker *worker, struct delivery_job *job)
{
        struct connection *connection = job->kind == DELIVERY_STORE ? job->owner : job->spool->owner;
        struct spool *spool = job->spool;
        struct store_report report;

        if (job->kind == DELIVERY_APPEND)
                spool->in_flight -= job->octets;
        content_release(&job->content, &worker->host.content_pool);
        switch (job->kind) {
        case DELIVERY_APPEND:
                if (connection != NULL)
                        connection_appended(worker, connection);
                break;
        case DELIVERY_STORE:
                histogram_add(&worker->counters.times[TIME_delivery], worker->host.now_ms - job->sent_ms);
                connection->spool = NULL;
                spool_end(worker, spool);
                report = report_of(job);
                free(((struct journal_job *)job)->rest);
                connection_stored(worker, connection, &report);
                break;
        case DELIVERY_ABORT:
                spool_end(worker, spool);
                break;
        }
        job_put_back(worker, job);
}

void delivery_client_receive(struct worker *worker)
{
        for (uint32_t i = 0; i < writer_count(worker); i++) {
                struct parcel *parcel;
                while ((parcel = channel_receive(&worker->reports[i])) != NULL) {
                        worker->jobs_sent[i]--;
                        worker->jobs_sent_total--;
                        take_report(worker, (struct delivery_job *)parcel);
                }
        }
}

bool delivery_client_has_reports(const struct worker *worker)
{
        for (uint32_t i = 0; i < writer_count(worker); i++)
                if (!channel_is_empty(&worker->reports[i]))
                        return true;
        return false;
}

bool delivery_client_flush(struct worker *worker)
{
        bool is_all = true;
        for (uint32_t i = 0; i < writer_count(worker); i++)
                is_all &= channel_flush(jobs_of(worker, i));
        return is_all;
}

/* When stages of a stop follow each other at once, a worker ends before the last reports: their mail is aborted. */
static void take_late_reports(struct worker *worker)
{
        for (uint32_t i = 0; worker->reports != NULL && i < writer_count(worker); i++) {
                struct delivery_job *job;
                while ((job = (struct delivery_job *)channel_receive(&worker->reports[i])) != NULL) {
                        content_release(&job->content, &worker->host.content_pool);
                        if (job->kind != DELIVERY_APPEND)
                                spool_end(worker, job->spool);
                        free(((struct journal_job *)job)->rest);
                        job_put_back(worker, job);
                }
        }
}

void delivery_client_end(struct worker *worker)
{
        take_late_reports(worker);
        while (worker->free_jobs != NULL)
                free(job_take(worker, DELIVERY_ABORT));
}
