/* Jobs to the hop threads and reports from them. */
#include "workers/inbound/hop/hop_client.h"

#include "conf/value/next_hop.h"
#include "workers/inbound/hop/callout.h"
#include "workers/inbound/journal/journal_client.h"

/* Texts of a report. */
struct said {
        char hop[NEXT_HOP_TEXT_MAX], words[HOP_ANSWER_TEXT_MAX + 16];
};

static void count(struct worker *worker, enum metric_id metric)
{
        counter_add(&worker->counters.metrics[metric], 1);
}

bool hop_client_init(struct worker *worker)
{
        callout_init(worker);
        worker->hop_reports = channels_create(worker->hop_count, &worker->waker);
        for (uint32_t i = 0; worker->hop_reports != NULL && i < worker->hop_count; i++)
                hop_thread_connect(&worker->hops[i], worker->number, &worker->hop_reports[i]);
        return worker->hop_reports != NULL;
}

/* ---- jobs ---------------------------------------------------------------------------------------------- */

static void job_send(struct worker *worker, struct transfer_job *job)
{
        job->octets = job->content.length;
        job->sent_ms = worker->host.now_ms;
        worker->hop_jobs_sent++;
        channel_send(&worker->hops[job->transfer->thread].jobs[worker->number], &job->parcel);
}

/* A transfer's own jobs need no memory. */
static void send_own(struct worker *worker, struct transfer *transfer, struct transfer_job *job,
                     enum transfer_job_kind kind)
{
        *job = (struct transfer_job){.kind = kind, .transfer = transfer};
        job_send(worker, job);
}

bool hop_client_open(struct worker *worker, struct connection *connection)
{
        struct session *session = &connection->session;
        const struct message *message = session_envelope(session);
        const struct next_hop_list *hops = recipient_deliver(message->recipients)->hops;
        const struct transfer_parts parts = {
            .message = message,
            .hops = hops->hops,
            .hop_count = hops->count,
            .client = {.address = session->peer.client,
                       .port = session->peer.client_port,
                       .helo = session->helo,
                       .is_esmtp = session->is_esmtp},
            .size = message->declared_size,
            .is_smtputf8 = message->is_smtputf8,
            .owner = connection,
        };

        /* Of the same message, whose recipients are others now. */
        hop_client_abort(worker, connection);
        struct transfer *transfer = transfer_create(&parts);
        if (transfer == NULL || !account_take(&worker->account, transfer->size, BUDGET_FOR_REST)) {
                free(transfer);
                return false;
        }
        connection->transfer = transfer;
        transfer->keeps = journal_client_takes(worker, message);
        count(worker, METRIC_hop_transfers);
        transfer->thread = (uint32_t)(worker->transfers_begun++ % worker->hop_count);
        send_own(worker, transfer, &transfer->first_job, TRANSFER_OPEN);
        return true;
}

void hop_client_send(struct worker *worker, struct connection *connection, struct message *message)
{
        struct transfer_job *job = malloc(sizeof *job);

        if (job == NULL)
                return;
        *job = (struct transfer_job){.kind = TRANSFER_APPEND,
                                     .content = content_detach(&message->content),
                                     .transfer = connection->transfer};
        connection->transfer->in_flight += job->content.length;
        connection->transfer->is_in_pieces = true;
        job_send(worker, job);
}

void hop_client_store(struct worker *worker, struct connection *connection)
{
        struct transfer *transfer = connection->transfer;

        transfer->last_job =
            (struct transfer_job){.kind = TRANSFER_STORE,
                                  .content = content_detach(&session_message(&connection->session)->content),
                                  .transfer = transfer};
        job_send(worker, &transfer->last_job);
}

void hop_client_keep_nothing(struct worker *worker, struct transfer *transfer)
{
        transfer->keeps = false;
        content_release(&transfer->kept, &worker->host.content_pool);
}

void hop_client_abort(struct worker *worker, struct connection *connection)
{
        struct transfer *transfer = connection->transfer;

        if (transfer == NULL)
                return;
        connection->transfer = NULL;
        transfer->owner = NULL;
        count(worker, METRIC_hop_abandoned);
        send_own(worker, transfer, &transfer->last_job, TRANSFER_ABORT);
}

/* ---- reports ------------------------------------------------------------------------------------------- */

/* The recipient whose answer speaks for the message: of those that were not delivered to the first one that a hop has
 * deferred, or else refused. NULL: no hop has said anything. */
static const struct transfer_recipient *find_speaker(const struct transfer *transfer)
{
        const struct transfer_recipient *speaker = NULL;

        for (uint32_t i = 0; i < transfer->recipient_count; i++) {
                const struct transfer_recipient *recipient = &transfer->recipients[i];
                if (recipient->fate == FATE_DEFERRED)
                        return recipient;
                if (recipient->fate == FATE_REFUSED && speaker == NULL)
                        speaker = recipient;
        }
        return speaker;
}

static void put_names(struct store_report *report, const struct transfer *transfer, struct said *said)
{
        const struct transfer_recipient *first = &transfer->recipients[0];
        struct text text;

        if (transfer->hop == NULL)
                return;
        text_over(&text, said->hop, sizeof said->hop);
        next_hop_write(&text, transfer->hop);
        report->hop = text_span(&text);
        if (report->outcome != STORE_DONE)
                return;
        text_over(&text, said->words, sizeof said->words);
        text_put_number(&text, first->code);
        text_put_char(&text, ' ');
        text_put_string(&text, first->enhanced);
        text_put_char(&text, ' ');
        text_put(&text, transfer_words(transfer, first));
        report->words = text_span(&text);
}

/* One answer is for all: nobody is refused for good while another one may get it later, or has it. */
static struct store_report judge(const struct transfer *transfer)
{
        uint32_t count = transfer->recipient_count;
        bool is_refused = transfer_count(transfer, FATE_REFUSED) == count && transfer->left_out == 0;
        struct store_report report = {.outcome = STORE_NO_HOP};

        if (transfer_count(transfer, FATE_DELIVERED) == count)
                return (struct store_report){.outcome = STORE_DONE};
        const struct transfer_recipient *speaker = find_speaker(transfer);
        if (speaker == NULL) {
                report.reason = transfer_words(transfer, &transfer->recipients[0]);
                return report;
        }
        report.reason = transfer_words(transfer, speaker);
        report.outcome = is_refused ? STORE_REFUSED_BY_HOP : STORE_DEFERRED_BY_HOP;
        /* Where its class is not that of the outcome, or it would end our session, ours is told. */
        bool is_told = speaker->fate == FATE_REFUSED ? is_refused : speaker->code != 421;
        report.code = is_told ? speaker->code : 451;
        report.enhanced = is_told ? span_from(speaker->enhanced) : SPAN("4.5.1");
        return report;
}

/* What a transfer has come to, whose texts are in `said`. */
static struct store_report report_of(struct worker *worker, const struct transfer *transfer,
                                     struct said *said)
{
        static const enum metric_id metrics[] = {
            [STORE_DONE] = METRIC_hop_taken,
            [STORE_REFUSED_BY_HOP] = METRIC_hop_refused,
            [STORE_DEFERRED_BY_HOP] = METRIC_hop_deferred,
            [STORE_NO_HOP] = METRIC_hop_unready,
        };
        struct store_report report = judge(transfer);

        count(worker, metrics[report.outcome]);
        put_names(&report, transfer, said);
        return report;
}

static void end(struct worker *worker, struct transfer *transfer)
{
        _Atomic uint64_t *transfers = &worker->counters.metrics[METRIC_hop_transfers];

        counter_set(transfers, counter_read(transfers) - 1);
        account_give_back(&worker->account, transfer->size);
        content_release(&transfer->kept, &worker->host.content_pool);
        free(transfer);
}

static void take_open_report(struct worker *worker, struct transfer *transfer)
{
        struct connection *connection = transfer->owner;
        struct said said;

        /* ABORT is on its way, and comes back. */
        if (connection == NULL)
                return;
        if (transfer->is_open) {
                histogram_add(&worker->counters.times[TIME_hop_open],
                              worker->host.now_ms - transfer->first_job.sent_ms);
                connection_opened(worker, connection, &(struct store_report){.outcome = STORE_DONE});
                return;
        }
        connection->transfer = NULL;
        struct store_report report = report_of(worker, transfer, &said);
        if (report.outcome == STORE_NO_HOP &&
            journal_client_takes(worker, session_envelope(&connection->session)) &&
            !atomic_load(&worker->journal->is_released))
                report.outcome = STORE_DONE;
        connection_opened(worker, connection, &report);
        end(worker, transfer);
}

static void remember_delivered(struct worker *worker, const struct session *session,
                               const struct transfer *transfer)
{
        uint64_t keep_ms = session->snapshot->options.next_hops_delivered_kept_ms;
        struct key128 text;

        if (!session_text_key(session, &text))
                return;
        for (uint32_t i = 0; i < transfer->recipient_count; i++)
                if (transfer->recipients[i].fate == FATE_DELIVERED)
                        delivered_add(worker->host.remembered, &transfer->recipients[i].keys.pair, &text,
                                      worker->host.now_ms, keep_ms);
}

/* Where some recipients of a text have it and others do not, or where nobody knows, the client is told a temporary
 * answer for all, and comes again for the rest: who has it is remembered, and is left out then. Whom the hop refuses
 * gets that at RCPT (workers/hop/remember.c). */
static bool is_parted(const struct transfer *transfer)
{
        uint32_t delivered = transfer_count(transfer, FATE_DELIVERED);

        return delivered < transfer->recipient_count && delivered + transfer->left_out > 0;
}

static void take_store_report(struct worker *worker, struct transfer *transfer)
{
        struct connection *connection = transfer->owner;
        struct said said;
        struct store_report report = report_of(worker, transfer, &said);
        bool parted = is_parted(transfer);

        histogram_add(&worker->counters.times[TIME_hop_answer],
                      worker->host.now_ms - transfer->last_job.sent_ms);
        connection->transfer = NULL;
        content_join(&transfer->kept, &transfer->last_job.content);
        /* Also where the journal is to have the rest: it may fail, and the client comes again then. */
        if (parted)
                remember_delivered(worker, &connection->session, transfer);
        if (report.outcome == STORE_DONE ||
            !journal_client_rescue(worker, connection, transfer, &transfer->kept)) {
                if (parted)
                        count(worker, METRIC_messages_parted);
                connection_stored(worker, connection, &report);
        }
        end(worker, transfer);
}

/* A piece has come back. It is kept while all before it are. */
static void take_piece(struct worker *worker, struct transfer *transfer, struct content *piece)
{
        if (transfer->owner == NULL || !budget_has_plenty(worker->account.budget))
                hop_client_keep_nothing(worker, transfer);
        if (transfer->keeps)
                content_join(&transfer->kept, piece);
        content_release(piece, &worker->host.content_pool);
}

static void take_report(struct worker *worker, struct transfer_job *job)
{
        struct transfer *transfer = job->transfer;
        struct connection *connection = transfer->owner;

        switch (job->kind) {
        case TRANSFER_OPEN:
                take_open_report(worker, transfer);
                break;
        case TRANSFER_APPEND:
                transfer->in_flight -= job->octets;
                take_piece(worker, transfer, &job->content);
                free(job);
                if (connection != NULL)
                        connection_appended(worker, connection);
                break;
        case TRANSFER_STORE:
                take_store_report(worker, transfer);
                break;
        case TRANSFER_ABORT:
                end(worker, transfer);
                break;
        case TRANSFER_ASK:
                callout_take(worker, transfer);
                break;
        }
}

void hop_client_receive(struct worker *worker)
{
        for (uint32_t i = 0; i < worker->hop_count; i++) {
                struct parcel *parcel;
                while ((parcel = channel_receive(&worker->hop_reports[i])) != NULL) {
                        worker->hop_jobs_sent -= ((struct transfer_job *)parcel)->kind != TRANSFER_ASK;
                        take_report(worker, (struct transfer_job *)parcel);
                }
        }
}

bool hop_client_has_reports(const struct worker *worker)
{
        for (uint32_t i = 0; i < worker->hop_count; i++)
                if (!channel_is_empty(&worker->hop_reports[i]))
                        return true;
        return false;
}

bool hop_client_flush(struct worker *worker)
{
        bool is_all = true;

        for (uint32_t i = 0; i < worker->hop_count; i++)
                is_all &= channel_flush(&worker->hops[i].jobs[worker->number]);
        return is_all;
}

/* When stages of a stop follow each other at once, a worker ends before the last reports: their mail is given up. */
void hop_client_end(struct worker *worker)
{
        for (uint32_t i = 0; worker->hop_reports != NULL && i < worker->hop_count; i++) {
                struct transfer_job *job;
                while ((job = (struct transfer_job *)channel_receive(&worker->hop_reports[i])) != NULL) {
                        content_release(&job->content, &worker->host.content_pool);
                        if (job->kind == TRANSFER_APPEND) {
                                free(job);
                        } else if (job->kind != TRANSFER_OPEN) {
                                content_release(&job->transfer->kept, &worker->host.content_pool);
                                free(job->transfer);
                        }
                }
        }
        free(worker->hop_reports);
}
