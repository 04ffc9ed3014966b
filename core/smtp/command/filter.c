/* Mail filters are asked about recipients and texts, and what they say becomes a verdict among the others. */
#include "core/smtp/command/filter.h"

#include "core/smtp/command/envelope.h"
#include "core/smtp/command/next_hop.h"
#include "core/smtp/trace.h"

#define EVIDENCE_MAX 200   /* octets */
#define FIELDS_MAX   16384 /* octets of the fields in front of a message */
#define FIELD_MAX    998   /* RFC 5322 2.1.1 */

/* ---- when they are asked ------------------------------------------------------------------------------- */

bool filter_is_asked(const struct mail_filter *filter, enum filter_subject about, uint64_t length)
{
        if (filter->kind == FILTER_SERVICE)
                return filter->options.at == SERVICE_ASKED_BOTH ||
                       (filter->options.at == SERVICE_ASKED_RCPT) == (about == FILTER_ABOUT_RECIPIENT);
        return about == FILTER_ABOUT_RECIPIENT || filter->options.text_max_octets == 0 ||
               length <= filter->options.text_max_octets;
}

static bool are_asked(const struct session *session, const struct domain *domain, enum filter_subject about,
                      uint64_t length)
{
        if (domain == NULL || !filters_are_there(session))
                return false;
        for (size_t i = 0; i < session->snapshot->filter_count; i++)
                if ((domain->filters >> i & 1) != 0 &&
                    filter_is_asked(&session->snapshot->filters[i], about, length))
                        return true;
        return false;
}

bool filters_are_asked(const struct session *session, const struct domain *domain)
{
        return are_asked(session, domain, FILTER_ABOUT_RECIPIENT, 0);
}

/* The domain that says for all recipients what is asked. Postmaster hears everybody (RFC 5321 4.5.1): NULL where there
 * is nobody else. */
static const struct domain *filtered_domain(const struct message *message)
{
        const struct recipient *recipient = message->recipients;

        while (recipient != NULL && recipient->is_postmaster)
                recipient = recipient->next;
        return recipient == NULL ? NULL : recipient->domain;
}

bool filters_go_together(const struct session *session, const struct domain *domain)
{
        const struct domain *before = filtered_domain(&session->transaction->message);

        return before == NULL || !filters_are_there(session) || before->filters == domain->filters;
}

static enum session_wish ask(struct session *session, enum session_state state)
{
        session->state = state;
        session_wait(session);
        return SESSION_FILTER;
}

enum session_wish filter_ask_recipient(struct session *session, struct recipient *recipient)
{
        struct transaction_filters *filters = &session->transaction->filters;
        struct filter_field **end = &filters->fields;

        while (*end != NULL)
                end = &(*end)->next;
        filters->fields_of_asked = end;
        filters->asked = recipient;
        return ask(session, SESSION_STATE_FILTER_RCPT);
}

/* Postmaster hears everybody (RFC 5321 4.5.1): where others do not get the message, he does. Their count: 0 also where
 * nobody is left to get it. */
static size_t leave_to_postmaster(struct transaction *transaction)
{
        struct message *message = &transaction->message;
        struct recipient **link = &message->recipients;
        size_t others = 0;

        for (const struct recipient *recipient = *link; recipient != NULL; recipient = recipient->next)
                others += !recipient->is_postmaster;
        if (others == message->recipient_count)
                return 0;
        while (*link != NULL)
                if ((*link)->is_postmaster)
                        link = &(*link)->next;
                else
                        *link = (*link)->next;
        transaction->recipients_end = link;
        message->recipient_count -= others;
        return others;
}

void filter_begin_text(struct session *session)
{
        struct message *message = &session->transaction->message;

        if (session->transaction->filters.discarded_by != NULL)
                (void)leave_to_postmaster(session->transaction);
        session->transaction->own_length = message->content.length;
        session->transaction->filters.want_text =
            session->transaction->filters.discarded_by == NULL &&
            are_asked(session, filtered_domain(message), FILTER_ABOUT_TEXT, 0);
        message->is_held = session->transaction->filters.want_text;
}

void filter_look_at_length(struct session *session)
{
        struct transaction *transaction = session->transaction;
        struct message *message = &transaction->message;

        transaction->filters.want_text =
            transaction->filters.want_text && are_asked(session, filtered_domain(message), FILTER_ABOUT_TEXT,
                                                        message->content.length - transaction->own_length);
        message->is_held = transaction->filters.want_text || transaction->is_author_told;
}

static enum session_wish discard(struct session *session, struct text *out);

bool filter_takes_text(struct session *session, struct text *out, enum session_wish *ret_wish)
{
        const struct transaction *transaction = session->transaction;
        bool is_discarded = transaction->filters.discarded_by != NULL;

        if (is_discarded)
                *ret_wish = discard(session, out);
        else if (transaction->filters.want_text)
                *ret_wish = ask(session, SESSION_STATE_FILTER_TEXT);
        return is_discarded || transaction->filters.want_text;
}

struct filter_question session_filter_question(struct session *session)
{
        struct transaction *transaction = session->transaction;
        bool is_about_text = session->state == SESSION_STATE_FILTER_TEXT;
        bool is_secured = session_is_secured(session), is_verified;
        struct span name = trace_reverse_name(session, &is_verified);
        const struct domain *domain =
            is_about_text ? filtered_domain(&transaction->message) : transaction->filters.asked->domain;

        expect(is_about_text || session->state == SESSION_STATE_FILTER_RCPT);
        return (struct filter_question){
            .about = is_about_text ? FILTER_ABOUT_TEXT : FILTER_ABOUT_RECIPIENT,
            .message = &transaction->message,
            .recipient = is_about_text ? SPAN("") : transaction->filters.asked->address,
            .wanted = domain->filters,
            .own = transaction->own_length,
            .client_name = is_verified ? name : SPAN(""),
            .reverse_name = name,
            .body = transaction->filters.body == NULL ? "" : transaction->filters.body,
            .tls_version = is_secured ? session->tls->version : "",
            .tls_cipher = is_secured ? session->tls->cipher : "",
        };
}

const char *session_filter_add_field(struct session *session, struct span name, struct span value)
{
        struct transaction *transaction = session->transaction;
        struct filter_field **end = &transaction->filters.fields;
        char octets[FIELD_MAX + 2];
        size_t octets_before = 0;
        struct text line;

        expect(session->state == SESSION_STATE_FILTER_RCPT);
        text_over(&line, octets, sizeof octets);
        text_put(&line, name);
        text_put_string(&line, ": ");
        text_put(&line, value);
        text_put_string(&line, "\r\n");
        for (; *end != NULL; end = &(*end)->next)
                octets_before += (*end)->line.length;
        if (line.overflowed || octets_before + line.length > FIELDS_MAX)
                return "no room is left for its field";
        struct filter_field *field = arena_take(&transaction->arena, sizeof *field);
        struct span copy = arena_copy(&transaction->arena, text_span(&line));
        if (field == NULL || copy.at == NULL)
                return "memory is out";
        *field = (struct filter_field){.line = copy};
        *end = field;
        return NULL;
}

void session_filter_quarantine(struct session *session)
{
        session->transaction->message.is_quarantined = true;
}

bool filter_write_fields(struct session *session)
{
        struct transaction *transaction = session->transaction;

        for (const struct filter_field *field = transaction->filters.fields; field != NULL;
             field = field->next)
                if (!content_append(&transaction->message.content, &session->host->content_pool, field->line))
                        return false;
        return true;
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
        return report->code != 0 && report->words.length > 0 ? report->words
                                                             : SPAN("refused by a mail filter");
}

static bool has_own_code(const struct filter_report *report)
{
        return report->outcome == FILTER_REFUSES || report->outcome == FILTER_DEFERS;
}

static enum session_wish discard(struct session *session, struct text *out)
{
        struct filter_report report = {.outcome = FILTER_DISCARDS,
                                       .filter = session->transaction->filters.discarded_by};

        note(session, &report, VERDICT_PASS, REPLY_accepted);
        size_t others = leave_to_postmaster(session->transaction);
        const struct recipient *left = session->transaction->message.recipients;
        if (left != NULL && left->is_postmaster)
                return others > 0 ? next_hop_deliver_anew(session, out) : text_deliver(session, out);
        counter_add(&session->host->counters->metrics[METRIC_messages_discarded], 1);
        return text_answer(session, REPLY_accepted,
                           &(struct reply_about){.subject = span_from(session->transaction->message.id)},
                           out);
}

static enum session_wish take_recipient(struct session *session, const struct filter_report *report,
                                        struct text *out)
{
        struct transaction *transaction = session->transaction;
        struct transaction_filters *filters = &transaction->filters;
        struct recipient *recipient = filters->asked;
        struct candidate candidate = {.path.address = recipient->address, .domain = recipient->domain};
        enum reply_id reply = REPLY_recipient_ok;

        filters->asked = NULL;
        session->state = SESSION_STATE_COMMAND;
        session->came_early = false;
        if (report->outcome == FILTER_DISCARDS)
                filters->discarded_by = report->filter;
        if (report->outcome == FILTER_IS_CONTENT || report->outcome == FILTER_DISCARDS) {
                recipient_add(transaction, recipient);
        } else {
                *filters->fields_of_asked = NULL;
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
                transaction->filters.discarded_by = report->filter;
        if (transaction->filters.discarded_by != NULL)
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
