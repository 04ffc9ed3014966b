/* Mail filters are asked about recipients and texts, and what they say becomes a verdict among the others. */
#include "core/smtp/command/filter.h"

#include "core/smtp/command/envelope.h"

#define EVIDENCE_MAX 200 /* octets */

/* ---- when they are asked ------------------------------------------------------------------------------- */

static enum session_wish ask(struct session *session, enum session_state state)
{
        session->state = state;
        session_wait(session);
        return SESSION_FILTER;
}

enum session_wish filter_ask_recipient(struct session *session, struct recipient *recipient)
{
        session->transaction->asked = recipient;
        return ask(session, SESSION_STATE_FILTER_RCPT);
}

/* Postmaster hears everybody (RFC 5321 4.5.1). */
void filter_begin_text(struct session *session)
{
        struct message *message = &session->transaction->message;

        session->transaction->own_length = message->content.length;
        message->is_held = false;
        if (!filters_are_asked(session) || session->transaction->discarded_by != NULL)
                return;
        for (const struct recipient *recipient = message->recipients; recipient != NULL;
             recipient = recipient->next)
                message->is_held |= !recipient->is_postmaster;
}

void filter_look_at_length(struct session *session)
{
        const struct snapshot *snapshot = session->snapshot;
        struct transaction *transaction = session->transaction;
        uint64_t length = transaction->message.content.length - transaction->own_length;

        if (!transaction->message.is_held)
                return;
        for (size_t i = 0; i < snapshot->filter_count; i++)
                if (filter_sees_length(&snapshot->filters[i], length))
                        return;
        transaction->message.is_held = false;
}

static enum session_wish discard(struct session *session, struct text *out);

bool filter_takes_text(struct session *session, struct text *out, enum session_wish *ret_wish)
{
        const struct transaction *transaction = session->transaction;
        bool is_discarded = transaction->discarded_by != NULL;

        if (is_discarded)
                *ret_wish = discard(session, out);
        else if (transaction->message.is_held)
                *ret_wish = ask(session, SESSION_STATE_FILTER_TEXT);
        return is_discarded || transaction->message.is_held;
}

struct filter_question session_filter_question(struct session *session)
{
        struct transaction *transaction = session->transaction;
        bool is_about_text = session->state == SESSION_STATE_FILTER_TEXT;
        bool is_secured = session_is_secured(session);

        expect(is_about_text || session->state == SESSION_STATE_FILTER_RCPT);
        return (struct filter_question){
            .about = is_about_text ? FILTER_ABOUT_TEXT : FILTER_ABOUT_RECIPIENT,
            .message = &transaction->message,
            .recipient = is_about_text ? SPAN("") : transaction->asked->address,
            .own = transaction->own_length,
            .tls_version = is_secured ? session->tls->version : "",
            .tls_cipher = is_secured ? session->tls->cipher : "",
        };
}

/* ---- what comes of the answer -------------------------------------------------------------------------- */

static struct span evidence_of(struct session *session, const struct filter_report *report)
{
        static const char *const outcomes[] = {[FILTER_IS_CONTENT] = "",
                                               [FILTER_REFUSES] = "refuses",
                                               [FILTER_DEFERS] = "defers",
                                               [FILTER_DISCARDS] = "discards",
                                               [FILTER_CLOSES] = "closes the connection",
                                               [FILTER_FAILED] = "failed"};
        char octets[EVIDENCE_MAX];
        struct text text;

        text_over(&text, octets, sizeof octets);
        text_put(&text, report->filter->name);
        text_put_char(&text, ' ');
        text_put_string(&text, outcomes[report->outcome]);
        if (report->words.length > 0) {
                text_put_string(&text, ": ");
                text_put_printable(&text, report->words, true);
        }
        return arena_copy(&session->transaction->arena, text_span(&text));
}

/* Under the settings of the rule, and the place of the filter's section. */
static void note(struct session *session, const struct filter_report *report, enum verdict_result result,
                 enum reply_id reply)
{
        struct arena *arena = &session->transaction->arena;
        struct verdict *verdict = arena_take(arena, sizeof *verdict);
        struct check_setting *setting = arena_take(arena, sizeof *setting);
        struct counters *counters = session->host->counters;

        expect(report->filter != NULL);
        session->was_refused |= result == VERDICT_REFUSE;
        if (result != VERDICT_PASS)
                counter_add(result == VERDICT_REFUSE ? &counters->refused[CHECK_mail_filter]
                                                     : &counters->deferred[CHECK_mail_filter],
                            1);
        if (verdict == NULL || setting == NULL)
                return;
        *setting = (struct check_setting){CHECK_MODE_ENFORCE, report->filter->place};
        *verdict = (struct verdict){.check = CHECK_mail_filter,
                                    .result = result,
                                    .reply = reply,
                                    .evidence = evidence_of(session, report)};
        record_finding(session, verdict, setting);
}

/* The reply to what is no consent. */
static enum reply_id reply_of(enum filter_outcome outcome)
{
        static const enum reply_id replies[] = {
            [FILTER_IS_CONTENT] = REPLY_recipient_ok, [FILTER_REFUSES] = REPLY_filter_refused,
            [FILTER_DEFERS] = REPLY_filter_deferred,  [FILTER_DISCARDS] = REPLY_accepted,
            [FILTER_CLOSES] = REPLY_filter_closed,    [FILTER_FAILED] = REPLY_filter_failed};
        return replies[outcome];
}

static enum reply_id note_objection(struct session *session, const struct filter_report *report)
{
        enum reply_id reply = reply_of(report->outcome);

        note(session, report, report->outcome == FILTER_REFUSES ? VERDICT_REFUSE : VERDICT_DEFER, reply);
        return reply;
}

static struct span words_of(const struct filter_report *report)
{
        return report->code != 0 ? report->words : SPAN("refused by a mail filter");
}

static bool has_own_code(const struct filter_report *report)
{
        return report->outcome == FILTER_REFUSES || report->outcome == FILTER_DEFERS;
}

static enum session_wish discard(struct session *session, struct text *out)
{
        struct filter_report report = {.outcome = FILTER_DISCARDS,
                                       .filter = session->transaction->discarded_by};

        note(session, &report, VERDICT_PASS, REPLY_accepted);
        counter_add(&session->host->counters->metrics[METRIC_messages_discarded], 1);
        return text_answer(session, REPLY_accepted,
                           &(struct reply_about){.subject = span_from(session->transaction->message.id)},
                           out);
}

static enum session_wish take_recipient(struct session *session, const struct filter_report *report,
                                        struct text *out)
{
        struct transaction *transaction = session->transaction;
        struct recipient *recipient = transaction->asked;
        struct candidate candidate = {.path.address = recipient->address, .domain = recipient->domain};
        enum reply_id reply = REPLY_recipient_ok;

        transaction->asked = NULL;
        session->state = SESSION_STATE_COMMAND;
        session->came_early = false;
        if (report->outcome == FILTER_DISCARDS)
                transaction->discarded_by = report->filter;
        if (report->outcome == FILTER_IS_CONTENT || report->outcome == FILTER_DISCARDS) {
                recipient_add(transaction, recipient);
        } else {
                reply = note_objection(session, report);
                candidate.refused_by = check_infos[CHECK_mail_filter].name;
                candidate.subject = words_of(report);
                candidate.code = has_own_code(report) ? report->code : 0;
                candidate.enhanced = report->enhanced;
        }
        enum session_wish wish = candidate_answer(session, &candidate, reply, out);
        if (wish == SESSION_READ)
                session_wait(session);
        return wish;
}

/* The whole message was refused, deferred or discarded. */
static enum session_wish object_to_text(struct session *session, const struct filter_report *report,
                                        struct text *out)
{
        struct reply_about about = {.subject = words_of(report),
                                    .code = has_own_code(report) ? report->code : 0,
                                    .enhanced = report->enhanced};
        enum reply_id reply = note_objection(session, report);
        bool is_refused = report->outcome == FILTER_REFUSES;

        counter_add(&session->host->counters
                         ->metrics[is_refused ? METRIC_messages_refused : METRIC_messages_deferred],
                    1);
        if (report->outcome != FILTER_CLOSES)
                return text_answer(session, reply, &about, out);
        session_close(session, out, reply);
        record_final(session, reply);
        return SESSION_CLOSE;
}

static enum session_wish take_text(struct session *session, const struct filter_report *report,
                                   struct text *out)
{
        struct transaction *transaction = session->transaction;

        histogram_add(&session->host->counters->times[TIME_filter_text],
                      session->host->now_ms - session->waiting_since_ms);
        transaction->message.is_held = false;
        if (report->outcome == FILTER_DISCARDS)
                transaction->discarded_by = report->filter;
        if (transaction->discarded_by != NULL)
                return discard(session, out);
        if (report->outcome != FILTER_IS_CONTENT)
                return object_to_text(session, report, out);
        return text_deliver(session, out);
}

enum session_wish session_filtered(struct session *session, const struct filter_report *report,
                                   struct text *out)
{
        if (session->state == SESSION_STATE_FILTER_TEXT)
                return take_text(session, report, out);
        expect(session->state == SESSION_STATE_FILTER_RCPT);
        histogram_add(&session->host->counters->times[TIME_filter_rcpt],
                      session->host->now_ms - session->waiting_since_ms);
        return take_recipient(session, report, out);
}
