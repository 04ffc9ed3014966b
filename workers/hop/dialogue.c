/* Between the machine of a dialogue and the transfer: what the hop is told, and what its answers come to. */
#include "workers/hop/internal.h"

/* ---- the envelope -------------------------------------------------------------------------------------- */

/* "550 5.6.7 the mail store ..." as if it had been said. */
static void settle_unfit(struct transfer *transfer, uint32_t recipient, enum hop_fit fit)
{
        struct span rest = span_from(hop_fit_reply(fit));
        struct span code = span_take_word(&rest), enhanced = span_take_word(&rest);
        struct hop_answer answer = {.state = ""};
        uint64_t number = 0;

        span_number(code, &number);
        answer.code = (uint16_t)number;
        span_copy_cut(enhanced, answer.enhanced, sizeof answer.enhanced);
        span_copy_cut(rest, answer.text, sizeof answer.text);
        enum hop_fate fate = fit == HOP_UNREADY ? FATE_BROKEN : number < 500 ? FATE_DEFERRED : FATE_REFUSED;
        transfer_settle(transfer, recipient, fate, &answer);
}

static bool is_refused_in_part(const struct transfer *transfer)
{
        for (uint32_t i = 0; i < transfer->recipient_count; i++)
                if (transfer->recipients[i].is_settled)
                        return true;
        return false;
}

/* With a single recipient DATA is said at once. Of several one may be refused, and then there is to be no text, for one
 * client has one answer: so the answers come first, all of them, for what is remembered depends on whether others are
 * taken. The journal sends to those who are left. */
static void give_data(struct hop_thread *thread, struct hop *hop, const struct transfer *transfer)
{
        bool are_answered = hop->answered == hop->recipients;
        bool is_partial = is_refused_in_part(transfer) && transfer->delivery == NULL;

        if (are_answered && (transfer->is_callout || is_partial))
                hop_abandon(hop);
        else if (!transfer->is_callout && (transfer->recipient_count == 1 || are_answered))
                hop_data(hop, &thread->out);
}

static void give_recipients(struct hop_thread *thread, struct hop_connection *connection)
{
        struct transfer *transfer = connection->transfer;
        struct hop *hop = &connection->hop;

        while (transfer->given < transfer->recipient_count && hop_takes(hop) &&
               text_room(&thread->out) >= HOP_OUT_ROOM) {
                uint32_t number = hop->recipients;
                enum hop_fit fit =
                    hop_recipient(hop, transfer->recipients[transfer->given].address, &thread->out);
                if (fit == HOP_FITS)
                        transfer->numbers[number] = transfer->given;
                else
                        settle_unfit(transfer, transfer->given, fit);
                transfer->given++;
        }
        if (transfer->given == transfer->recipient_count && hop_takes(hop))
                give_data(thread, hop, transfer);
}

/* MAIL as soon as the hop takes it: with XCLIENT that is after its answer. */
static void give_sender(struct hop_thread *thread, struct hop_connection *connection)
{
        struct transfer *transfer = connection->transfer;

        if (!transfer->is_named) {
                transfer->is_named = true;
                if (hop_name_client(&connection->hop, &transfer->client, &thread->out) &&
                    !hop_takes_mail(&connection->hop))
                        return;
        }
        enum hop_fit fit = hop_mail(&connection->hop, &transfer->sender, &thread->out);
        if (fit == HOP_FITS) {
                give_recipients(thread, connection);
                return;
        }
        for (uint32_t i = 0; i < transfer->recipient_count; i++)
                settle_unfit(transfer, i, fit);
        connection->transfer = NULL;
        connection->target->busy--;
        courier_over(thread, connection->target, transfer, true);
        hop_connection_release(thread, connection);
}

void dialogue_begin(struct hop_thread *thread, struct hop_connection *connection, struct transfer *transfer)
{
        hop_connection_take(connection, CONNECTION_BUSY);
        connection->hop.now_ms = thread->now_ms;
        connection->target->busy++;
        hop_count(thread, connection->target, FIGURE_messages);
        if (connection->hop.transactions > 0)
                hop_count(thread, connection->target, FIGURE_reuses);
        connection->transfer = transfer;
        connection->block = NULL;
        connection->block_offset = 0;
        connection->is_text_given = false;
        transfer->connection = connection;
        transfer->is_named = transfer->is_callout; /* nobody's mail is asked about */
        give_sender(thread, connection);
        hop_connection_advance(thread, connection, HOP_WAITS);
}

/* ---- the text ------------------------------------------------------------------------------------------ */

/* True when all of the job's text is said. */
static bool give_content(struct hop_thread *thread, struct hop_connection *connection,
                         const struct transfer_job *job)
{
        if (connection->block == NULL)
                connection->block = job->content.first;
        while (connection->block != NULL) {
                const struct content_block *block = connection->block;
                struct span text = span_of(block->octets + connection->block_offset,
                                           block->length - connection->block_offset);
                hop_text(&connection->hop, &text, &thread->out);
                connection->block_offset = block->length - text.length;
                if (text.length > 0)
                        return false;
                connection->block_offset = 0;
                connection->block = block->next;
                if (connection->block == NULL)
                        return true;
        }
        return true;
}

void dialogue_text(struct hop_thread *thread, struct hop_connection *connection)
{
        struct transfer *transfer = connection->transfer;
        struct transfer_job *job;

        while (transfer != NULL && hop_is_texting(&connection->hop) &&
               (job = STAILQ_FIRST(&transfer->jobs)) != NULL) {
                if (!connection->is_text_given && !give_content(thread, connection, job))
                        return;
                if (job->kind == TRANSFER_STORE) {
                        connection->is_text_given = true;
                        if (text_room(&thread->out) >= HOP_OUT_ROOM)
                                hop_dot(&connection->hop, &thread->out);
                        return;
                }
                STAILQ_REMOVE_HEAD(&transfer->jobs, entry);
                courier_report(thread, job);
        }
}

/* ---- what the machine says ----------------------------------------------------------------------------- */

static void take_over(struct hop_thread *thread, struct hop_connection *connection)
{
        struct transfer *transfer = connection->transfer;
        /* A store may close what was idle at the very moment. */
        bool may_repeat = connection->hop.transactions > 1 && !transfer->is_open;

        connection->transfer = NULL;
        connection->target->busy--;
        transfer_settle_rest(transfer, connection->hop.fate, &connection->hop.answer);
        courier_over(thread, connection->target, transfer, may_repeat);
}

void dialogue_event(struct hop_thread *thread, struct hop_connection *connection, enum hop_event event)
{
        struct transfer *transfer = connection->transfer;
        struct hop *hop = &connection->hop;

        if (transfer == NULL)
                return;
        switch (event) {
        case HOP_READY:
                give_sender(thread, connection);
                break;
        case HOP_RECIPIENT:
                transfer->recipients[transfer->numbers[hop->recipient]].is_accepted = true;
                give_recipients(thread, connection);
                break;
        case HOP_SENDER:
                give_recipients(thread, connection);
                break;
        case HOP_SETTLED:
                transfer_settle(transfer, transfer->numbers[hop->recipient], hop->fate, &hop->answer);
                give_recipients(thread, connection);
                break;
        case HOP_GO_AHEAD:
                courier_opened(thread, transfer);
                break;
        case HOP_OVER:
                take_over(thread, connection);
                break;
        case HOP_WAITS:
        case HOP_SECURE:
        case HOP_CLOSE:
                break;
        }
}

bool dialogue_has_all(const struct transfer *transfer)
{
        return transfer->connection != NULL && transfer->connection->is_text_given;
}

void dialogue_abandon(struct hop_thread *thread, struct transfer *transfer)
{
        struct hop_connection *connection = transfer->connection;

        connection->transfer = NULL;
        connection->target->busy--;
        transfer->connection = NULL;
        connection->hop.now_ms = thread->now_ms;
        hop_abandon(&connection->hop);
        hop_connection_advance(thread, connection, HOP_WAITS);
}
