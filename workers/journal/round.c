/* Jobs and orders into records. */
#include "workers/journal/round.h"

#include "core/base/local_part.h"
#include "core/mail/recipient.h"
#include "dns/clock.h"
#include "workers/journal/commit.h"

#include <string.h>

/* A batch may be full, then the segment; more than that is a fault. */
#define TRIES_MAX 4

/* ---- records ------------------------------------------------------------------------------------------- */

/* A record on its way. */
struct putting {
        enum journal_kind kind;
        union {
                const struct journal_text *text;
                const struct journal_message *message;
                const struct journal_outcome *outcome;
        };
        const struct recipient *recipients; /* of a message that is new */
        bool is_order;
        struct journal_cursor *cursor;
        size_t length;
        /* What has come of it. */
        struct journal_place place;
        uint64_t sequence;
};

static bool write_recipient(struct text *body, const struct recipient *recipient)
{
        char octets[LOCAL_PART_MAX + 1 + DOMAIN_NAME_MAX];
        struct told_address told = recipient_told(recipient);
        struct text address;

        if (told.domain.length == 0)
                return journal_string_write(body, told.local_part);
        text_over(&address, octets, sizeof octets);
        text_put(&address, told.local_part);
        text_put_char(&address, '@');
        text_put(&address, told.domain);
        return !address.overflowed && journal_string_write(body, text_span(&address));
}

static bool write_recipients(struct text *body, const struct recipient *recipient)
{
        bool fits = true;
        for (; recipient != NULL && fits; recipient = recipient->next)
                fits = recipient->is_left_out || write_recipient(body, recipient);
        return fits;
}

static bool write_body(struct text *body, const struct putting *putting)
{
        switch (putting->kind) {
        case JOURNAL_TEXT:
                journal_text_write(body, putting->text);
                return true;
        case JOURNAL_MESSAGE:
                if (!journal_message_write(body, putting->message) ||
                    !write_recipients(body, putting->recipients))
                        return false;
                journal_message_close(body);
                return true;
        case JOURNAL_OUTCOME:
                return journal_outcome_write(body, putting->outcome);
        case JOURNAL_MARK:
                break;
        }
        return false;
}

/* False when it fails, with journal->fault. */
static bool put(struct journal *journal, struct putting *putting)
{
        struct text text;

        for (int i = 0; i < TRIES_MAX; i++) {
                if (!putting->is_order && !journal_takes_mail(journal))
                        return journal_note_full(journal);
                enum journal_put result = JOURNAL_PUT_FULL_BATCH;
                struct text *body = journal_store_body(&journal->store, &text);
                if (body != NULL && !write_body(body, putting)) {
                        journal->fault = "the envelope is too long for the journal";
                        journal->fault_outcome = STORE_FAILED;
                        return false;
                }
                if (body != NULL)
                        result = journal_store_put(&journal->store, putting->kind, body, putting->cursor,
                                                   putting->length, &putting->place, &putting->sequence);
                if (result == JOURNAL_PUT_DONE)
                        return true;
                if (!journal_make_room(journal, result, putting->is_order))
                        return false;
        }
        journal->fault = "the record finds no room";
        journal->fault_outcome = STORE_FAILED;
        return false;
}

static bool put_piece(struct journal *journal, struct piece_chain *chain, struct journal_cursor *cursor,
                      size_t length, bool is_order)
{
        struct journal_text piece = {chain->generation, chain->offset, chain->count + 1, {0}};
        struct putting putting = {
            .kind = JOURNAL_TEXT, .text = &piece, .is_order = is_order, .cursor = cursor, .length = length};

        if (!put(journal, &putting))
                return false;
        if (chain->count == 0)
                chain->first_generation = putting.place.generation;
        chain->generation = putting.place.generation;
        chain->offset = putting.place.offset;
        chain->octets += length;
        chain->count++;
        return true;
}

/* What does not fit into one record goes ahead as pieces of the chain, at least down to `rest`. */
static bool put_pieces(struct journal *journal, struct piece_chain *chain, struct journal_cursor *cursor,
                       size_t rest, bool is_order)
{
        bool is_put = true;
        while (cursor->left > rest && is_put)
                is_put =
                    put_piece(journal, chain, cursor,
                              cursor->left < JOURNAL_PIECE_MAX ? cursor->left : JOURNAL_PIECE_MAX, is_order);
        return is_put;
}

static struct journal_cursor cursor_of(const struct content *content)
{
        return (struct journal_cursor){.block = content->first, .left = content->length};
}

/* ---- jobs ---------------------------------------------------------------------------------------------- */

/* A message in the making holds the segment with its first piece. */
static void hold(struct journal *journal, const struct piece_chain *chain, bool is_begun)
{
        uint32_t slot = journal_slot_of(&journal->store.folder, chain->first_generation);

        if (chain->count == 0 || slot == UINT32_MAX)
                return;
        journal->store.folder.slots[slot].spools += is_begun ? 1 : UINT32_MAX;
        journal->store.spools += is_begun ? 1 : UINT32_MAX;
}

static bool put_append(struct journal *journal, struct delivery_job *job)
{
        struct journal_cursor cursor = cursor_of(&job->content);
        struct piece_chain *chain = &job->spool->chain;
        bool is_first = chain->count == 0;
        bool is_put = put_pieces(journal, chain, &cursor, 0, false);

        if (is_first)
                hold(journal, chain, true);
        return is_put;
}

static void gather_news(struct journal *journal, const struct putting *putting,
                        const struct journal_message *message)
{
        struct journal_news_item *item = &journal->gathered->items[journal->gathered->count++];

        item->entry = (struct journal_entry){
            .sequence = putting->sequence,
            .time_ms = message->time_ms,
            .first_generation =
                message->chain.count > 0 ? message->chain.first_generation : putting->place.generation,
            .message = putting->place,
        };
        span_copy_cut(message->destination, item->destination, sizeof item->destination);
}

static bool put_store(struct journal *journal, struct journal_job *job)
{
        const struct message *message = job->delivery.message;
        struct journal_cursor cursor = cursor_of(&job->delivery.content);
        struct journal_message record = {
            .time_ms = (uint64_t)clock_wall_ms(),
            .id = span_from(message->id),
            .client = job->origin.client,
            .helo = job->origin.helo,
            .sender = message->sender,
            .destination = job->origin.destination,
            .recipient_count = (uint32_t)(message->recipient_count - recipients_left_out(message)),
            .is_smtputf8 = message->is_smtputf8,
            .is_own = job->origin.is_own,
        };

        if (job->delivery.spool != NULL)
                record.chain = job->delivery.spool->chain;
        if (!put_pieces(journal, &record.chain, &cursor, JOURNAL_PIECE_MAX, false))
                return false;
        struct putting putting = {.kind = JOURNAL_MESSAGE,
                                  .message = &record,
                                  .recipients = message->recipients,
                                  .cursor = &cursor,
                                  .length = cursor.left};
        if (!put(journal, &putting))
                return false;
        gather_news(journal, &putting, &record);
        return true;
}

static bool put_order(struct journal *journal, struct journal_order *order)
{
        struct journal_cursor cursor = cursor_of(&order->content);
        struct putting putting = {
            .kind = JOURNAL_OUTCOME, .outcome = &order->outcome, .is_order = true, .cursor = &cursor};

        if (order->kind == JOURNAL_ORDER_MOVE) {
                if (!put_pieces(journal, &order->message.chain, &cursor, JOURNAL_PIECE_MAX, true))
                        return false;
                putting.kind = JOURNAL_MESSAGE;
                putting.message = &order->message;
                putting.length = cursor.left;
        }
        bool is_put = put(journal, &putting);
        order->place = putting.place;
        order->sequence = putting.sequence;
        order->first_generation =
            order->message.chain.count > 0 ? order->message.chain.first_generation : putting.place.generation;
        return is_put;
}

/* ---- round --------------------------------------------------------------------------------------------- */

/* Why it cannot be put; NULL: it can. */
static const char *refusal_of(struct journal *journal, const struct journal_job *job,
                              enum store_outcome *ret_outcome)
{
        const struct spool *spool = job->delivery.spool;

        *ret_outcome = STORE_FULL;
        if (spool != NULL && spool->outcome != STORE_DONE) {
                *ret_outcome = spool->outcome;
                return spool->reason;
        }
        if (job->delivery.kind != DELIVERY_STORE)
                return NULL;
        if (journal->counts.waiting >= journal->settings.messages_max)
                return "as many messages wait as the journal may have";
        *ret_outcome = STORE_FAILED;
        if (journal->gathered == NULL)
                return "out of memory";
        return job->origin.destination.length > JOURNAL_DESTINATION_MAX ? "the next hop's name is too long"
                                                                        : NULL;
}

static void run_job(struct journal *journal, struct journal_item *item)
{
        struct journal_job *job = item->job;
        enum store_outcome outcome;
        const char *refusal = refusal_of(journal, job, &outcome);
        bool is_put = false;

        if (refusal != NULL) {
                journal_fail_item(item, outcome, refusal);
                return;
        }
        switch (job->delivery.kind) {
        case DELIVERY_APPEND:
                is_put = put_append(journal, &job->delivery);
                break;
        case DELIVERY_STORE:
                is_put = put_store(journal, job);
                break;
        case DELIVERY_ABORT:
                item->is_done = true;
                return;
        }
        item->is_put = is_put;
        if (!is_put)
                journal_fail_item(item, journal->fault_outcome, journal->fault);
}

static void run_item(struct journal *journal, struct journal_item *item)
{
        /* Where there is no room for more mail, there may be some for outcomes. */
        bool may_be_blocked = item->job == NULL ? journal->fault_outcome != STORE_FULL
                                                : item->job->delivery.kind != DELIVERY_ABORT;

        if (may_be_blocked && clock_monotonic_ms() < journal->blocked_until_ms)
                journal_fail_item(item, journal->fault_outcome, journal->fault);
        else if (item->job != NULL)
                run_job(journal, item);
        else if (put_order(journal, item->order))
                item->is_put = true;
        else
                journal_fail_item(item, STORE_FAILED, NULL);
}

/* A long message that has ended holds nothing any more. */
static void end_item(struct journal *journal, const struct journal_item *item)
{
        const struct delivery_job *job = item->job == NULL ? NULL : &item->job->delivery;

        if (job == NULL)
                return;
        journal->counts.refused += job->kind != DELIVERY_ABORT && job->outcome != STORE_DONE;
        if (job->kind != DELIVERY_APPEND && job->spool != NULL)
                hold(journal, &job->spool->chain, false);
}

void journal_run_round(struct journal *journal)
{
        journal_look_for_room(journal);
        for (size_t i = 0; i < journal->count; i++)
                run_item(journal, &journal->items[i]);
        journal_commit(journal);
        for (size_t i = 0; i < journal->count; i++)
                end_item(journal, &journal->items[i]);
}
