/* A transaction's memory, from MAIL to its end (RFC 5321 3.3). */
#include "core/smtp/internal.h"

#define TRANSACTION_ARENA_MAX (8u << 20)

struct transaction *transaction_begin(struct session *session)
{
        struct arena arena;

        arena_init(&arena, &session->host->transaction_pool, TRANSACTION_ARENA_MAX);
        struct transaction *transaction = arena_take(&arena, sizeof *transaction);
        if (transaction == NULL) {
                arena_end(&arena);
                return NULL;
        }
        *transaction = (struct transaction){.arena = arena, .begun_ms = session->host->now_ms};
        memo_init(&transaction->memo, &transaction->arena, session_dns(session), session->peer.dns_handle,
                  (uint32_t)session->snapshot->options.dns_questions_max);
        transaction->memo.asker.account = &session->account;
        sender_memo_init(&transaction->senders, &transaction->arena, session->host->senders,
                         session->peer.dns_handle);
        transaction->recipients_end = &transaction->message.recipients;
        transaction->attempts_end = &transaction->attempts;
        arena_init(&transaction->attempt_arena, &session->host->session_pool, TRANSACTION_ARENA_MAX);
        transaction->message.newline = session->snapshot->options.maildir_newline;
        ids_write(&session->host->ids, session->host->wall_ms, transaction->message.id);
        session->transaction = transaction;
        return transaction;
}

void transaction_end(struct session *session)
{
        struct transaction *transaction = session->transaction;

        if (transaction == NULL)
                return;
        const struct sender_memo *state = &transaction->senders;
        counter_add(&session->host->counters->metrics[METRIC_sender_failed],
                    state->failed + (state->is_late ? state->pending : 0));
        syntax_note_text(session, REPLY_NONE);
        if (session->tape != NULL)
                tape_transaction_end(session);
        record_transaction(session);
        content_release(&transaction->message.content, &session->host->content_pool);
        session->transaction = NULL;
        struct arena arena = transaction->arena; /* the transaction lies in it */
        arena_end(&arena);
}

/* The recipient that has to wait longest speaks for the message; a refusal goes before all waits. */
static bool goes_before(const struct verdict *verdict, const struct verdict *other)
{
        if (other == NULL || verdict->result != other->result)
                return other == NULL || verdict->result == VERDICT_REFUSE;
        return verdict->retry_after_s > other->retry_after_s;
}

bool transaction_waits_for_data(struct transaction *transaction, const struct verdict *verdict)
{
        if (verdict->reach != REACH_RECIPIENT && goes_before(verdict, transaction->data_verdict))
                transaction->data_verdict = verdict;
        return verdict->reach == REACH_MESSAGE;
}
