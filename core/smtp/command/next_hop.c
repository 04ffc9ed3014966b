/* Which recipients go together, and what a next hop's words come to. */
#include "core/smtp/command/next_hop.h"

#include "conf/value/next_hop.h"

bool next_hop_is_asked(const struct message *message)
{
        return recipient_deliver(message->recipients)->kind == DELIVER_HOPS &&
               recipient_journal(message->recipients) != JOURNAL_ALWAYS;
}

bool next_hop_takes_too(const struct message *message, const struct recipient_settings *settings,
                        const struct domain *domain)
{
        const struct deliver_target *deliver = settings_deliver(settings, domain);

        if (message->recipients == NULL)
                return true;
        const struct deliver_target *first = recipient_deliver(message->recipients);
        if (first->kind != DELIVER_HOPS || deliver->kind != DELIVER_HOPS)
                return first->kind != DELIVER_HOPS && deliver->kind != DELIVER_HOPS;
        return message->recipient_count < NEXT_HOP_RECIPIENTS_MAX &&
               recipient_journal(message->recipients) == settings_journal(settings, domain) &&
               (first == deliver || next_hops_are_same(first->hops, deliver->hops));
}

/* ---- who has a message already ------------------------------------------------------------------------- */

static bool has_lmtp(const struct next_hop_list *hops)
{
        for (size_t i = 0; i < hops->count; i++)
                if (hops->hops[i].protocol == HOP_LMTP)
                        return true;
        return false;
}

/* Only LMTP answers for each recipient, so only there some of them may get what others do not. */
static bool may_part(const struct message *message)
{
        return message->recipient_count > 1 && has_lmtp(recipient_deliver(message->recipients)->hops);
}

static bool may_be_known(const struct session *session)
{
        const struct session_host *host = session->host;
        const struct recipient *recipient = session->transaction->message.recipients;

        while (recipient != NULL &&
               !delivered_has_some(host->remembered, &recipient->keys.pair, host->now_ms))
                recipient = recipient->next;
        return recipient != NULL;
}

bool next_hop_begin_text(struct session *session)
{
        struct transaction *transaction = session->transaction;

        if (session->host->remembered == NULL || transaction->text_hash != NULL)
                return true;
        transaction->is_taken_whole = may_be_known(session);
        if (!transaction->is_taken_whole && !may_part(&transaction->message))
                return true;
        void *memory = arena_take(&transaction->arena, KEYED_ROOM);
        if (memory == NULL)
                return false;
        transaction->text_hash = keyed_begin(memory, &session->host->remembered->secret);
        return true;
}

enum session_wish next_hop_deliver_rest(struct session *session, struct text *out)
{
        static const struct store_report known = {.outcome = STORE_DONE,
                                                  .reason = {"all recipients had it already", 29}};
        struct session_host *host = session->host;
        struct key128 text = keyed_end(session->transaction->text_hash);
        size_t left = 0;

        for (struct recipient *recipient = session->transaction->message.recipients; recipient != NULL;
             recipient = recipient->next) {
                recipient->is_left_out =
                    delivered_has(host->remembered, &recipient->keys.pair, &text, host->now_ms);
                counter_add(&host->counters->metrics[METRIC_recipients_left_out], recipient->is_left_out);
                left += !recipient->is_left_out;
        }
        if (left == 0) {
                session->state = SESSION_STATE_STORE;
                return session_stored(session, &known, out);
        }
        session->state = SESSION_STATE_OPEN;
        session_set_deadline(session);
        return SESSION_OPEN;
}

enum session_wish next_hop_deliver_anew(struct session *session, struct text *out)
{
        struct transaction *transaction = session->transaction;

        if (!next_hop_is_asked(&transaction->message) || transaction->is_taken_whole)
                return text_deliver(session, out);
        transaction->is_taken_whole = true;
        session->state = SESSION_STATE_OPEN;
        session_set_deadline(session);
        return SESSION_OPEN;
}

/* ---- what a next hop has said -------------------------------------------------------------------------- */

enum reply_id next_hop_reply(const struct store_report *report)
{
        if (report->outcome == STORE_REFUSED_BY_HOP)
                return REPLY_hop_refused;
        return report->outcome == STORE_DEFERRED_BY_HOP ? REPLY_hop_deferred : REPLY_hop_not_ready;
}

void next_hop_record(struct session *session, const struct reply_about *about)
{
        struct transaction *transaction = session->transaction;

        if (about->code == 0)
                return;
        transaction->final_code = about->code;
        transaction->final_enhanced = arena_copy(&transaction->arena, about->enhanced);
}
