/* The log line of a session: one JSON object, a view of the verdicts and answers that the session gave.
 * Transactions are rendered as they end and kept as text; a session with more of them than a line holds
 * writes lines in parts. */
#include "core/check/hooks.h"
#include "core/smtp/internal.h"
#include "core/smtp/record_json.h"

#include <time.h>

#define RECORD_MAX      8192  /* octets of ended transactions kept for one line */
#define TRANSACTION_MAX 16384 /* octets of one */
#define ATTEMPTS_MAX    4096  /* octets up to which recipients are told one by one */
#define FINDINGS_MAX    8     /* verdicts told for one transaction */

/* An ended transaction's JSON object. */
struct record_piece {
        struct record_piece *next;
        struct span json;
};

static const char *const ending_names[] = {
    [SESSION_ENDED_BY_QUIT] = "quit",
    [SESSION_ENDED_BY_US] = "closed",
    [SESSION_ENDED_BY_CLIENT] = "lost",
    [SESSION_ENDED_BY_STOP] = "stop",
};
static const char *const result_names[] = {
    [VERDICT_PASS] = "pass", [VERDICT_REFUSE] = "refuse", [VERDICT_DEFER] = "defer"};

/* ---- collecting ---------------------------------------------------------------------------------------- */

void record_attempt(struct session *session, struct span address, enum reply_id reply, const char *check)
{
        struct transaction *transaction = session->transaction;
        const struct reply_template *template = &session->snapshot->replies[reply];
        struct attempt *attempt;

        if (transaction->attempt_count++ >= ATTEMPTS_KEPT ||
            (attempt = arena_take(&transaction->arena, sizeof *attempt)) == NULL)
                return;
        *attempt = (struct attempt){
            .address = arena_copy(&transaction->arena, address),
            .code = template->code,
            .enhanced = template->enhanced,
            .check = check,
            .reply = reply,
        };
        memcpy(attempt->reject_id, session->reject_id, sizeof attempt->reject_id);
        *transaction->attempts_end = attempt;
        transaction->attempts_end = &attempt->next;
}

void record_finding(struct session *session, const struct verdict *verdict,
                    const struct check_setting *setting)
{
        struct transaction *transaction = session->transaction;
        struct finding *finding;

        if (transaction == NULL)
                return;
        for (finding = transaction->findings; finding != NULL; finding = finding->next)
                if (finding->verdict->check == verdict->check && finding->setting == setting) {
                        finding->recipients++;
                        return;
                }
        if (transaction->finding_count >= FINDINGS_MAX ||
            (finding = arena_take(&transaction->arena, sizeof *finding)) == NULL) {
                transaction->findings_omitted++;
                return;
        }
        transaction->finding_count++;
        *finding = (struct finding){transaction->findings, verdict, setting, 1};
        transaction->findings = finding;
}

void record_final(struct session *session, enum reply_id reply)
{
        struct transaction *transaction = session->transaction;

        transaction->final_code = session->snapshot->replies[reply].code;
        transaction->final_reply = reply;
        transaction->final_enhanced = session->snapshot->replies[reply].enhanced;
        memcpy(transaction->final_reject_id, session->reject_id, sizeof transaction->final_reject_id);
}

void record_stored(struct session *session, const struct store_report *report)
{
        struct transaction *transaction = session->transaction;

        transaction->is_stored = report->outcome == STORE_DONE;
        transaction->stored_file = arena_copy(&transaction->arena, report->file);
        transaction->store_reason = arena_copy(&transaction->arena, report->reason);
}

/* ---- rendering ----------------------------------------------------------------------------------------- */

/* The name of a reply that is none of the good ones: operators may have changed its code. */
static void put_refusal(struct text *json, uint16_t code, enum reply_id reply)
{
        if (code >= 400)
                put_string(json, "reply", span_from(reply_infos[reply].name));
}

static void put_attempts(struct text *json, const struct transaction *transaction)
{
        uint32_t told = 0;

        put_key(json, "rcpts");
        text_put_char(json, '[');
        for (const struct attempt *attempt = transaction->attempts; attempt != NULL;
             attempt = attempt->next, told++) {
                if (json->length > ATTEMPTS_MAX)
                        break;
                text_put_string(json, told > 0 ? ",{" : "{");
                put_string(json, "to", attempt->address);
                put_code(json, "code", attempt->code, attempt->enhanced);
                if (attempt->check != NULL)
                        put_string(json, "check", span_from(attempt->check));
                if (attempt->reject_id[0] != '\0')
                        put_string(json, "reject_id", span_from(attempt->reject_id));
                put_refusal(json, attempt->code, attempt->reply);
                text_put_char(json, '}');
        }
        text_put_char(json, ']');
        if (told < transaction->attempt_count)
                put_number(json, "rcpts_omitted", transaction->attempt_count - told);
}

static void put_place(struct text *json, const struct check_setting *setting)
{
        if (setting->place.line == 0)
                return;
        put_string(json, "file", span_from(setting->place.file));
        put_number(json, "line", setting->place.line);
}

static void put_verdict(struct text *json, const struct finding *finding)
{
        const struct verdict *verdict = finding->verdict;

        text_put_char(json, '{');
        put_string(json, "check", span_from(check_infos[verdict->check].name));
        put_string(json, "result", span_from(result_names[verdict->result]));
        put_string(
            json, "mode",
            span_from(check_mode_name(verdict->only_observes ? CHECK_MODE_OBSERVE : finding->setting->mode)));
        put_string(json, "stage", span_from(stage_name(check_infos[verdict->check].stage)));
        put_string(json, "reply", span_from(reply_infos[verdict->reply].name));
        put_string(json, "evidence", verdict->evidence);
        put_place(json, finding->setting);
        put_number(json, "rcpts", finding->recipients);
        text_put_char(json, '}');
}

static void put_verdicts(struct text *json, const struct transaction *transaction)
{
        if (transaction->findings == NULL && transaction->findings_omitted == 0)
                return;
        put_key(json, "verdicts");
        text_put_char(json, '[');
        for (const struct finding *finding = transaction->findings; finding != NULL;
             finding = finding->next) {
                if (finding != transaction->findings)
                        text_put_char(json, ',');
                put_verdict(json, finding);
        }
        text_put_char(json, ']');
        if (transaction->findings_omitted > 0)
                put_number(json, "verdicts_omitted", transaction->findings_omitted);
}

/* What became of each recipient in the end: one that RCPT was answered 250 for has the mail only when it was
 * stored, and is nowhere counted when no message came. */
static void put_counts(struct text *json, const struct transaction *transaction)
{
        size_t left = transaction->message.recipient_count;
        bool is_refused = !transaction->is_stored && transaction->final_code >= 500;
        bool is_deferred = !transaction->is_stored && transaction->final_code >= 400 && !is_refused;

        put_number(json, "accepted", transaction->is_stored ? left : 0);
        put_number(json, "refused", transaction->recipients_refused + (is_refused ? left : 0));
        put_number(json, "deferred", transaction->recipients_deferred + (is_deferred ? left : 0));
}

/* Of checks whose result is worth knowing though they have nothing against the mail: under their names. Where
 * mail was refused before its text, what is known by then depends on which answer came first. */
static void put_check_results(struct text *json, const struct session *session)
{
        struct transaction *transaction = session->transaction;
        struct facts facts = stage_facts(session, &transaction->arena, &transaction->memo);

        if (session->is_trusted)
                return;
        for (enum check_id check = 0; check < CHECK_COUNT && transaction->is_text_seen; check++) {
                struct span result = hooks_log_result(&facts, check);
                if (result.length > 0)
                        put_string(json, check_infos[check].name, result);
        }
}

static void put_text(struct text *json, const struct transaction *transaction)
{
        if (transaction->is_text_seen) {
                put_number(json, "size", transaction->scan.size);
                struct span id = message_id_found(transaction->scan.message_id);
                if (id.length > 0)
                        put_string(json, "message_id", id);
        }
        if (transaction->stored_file.length > 0)
                put_string(json, "file", transaction->stored_file);
        if (transaction->store_reason.length > 0)
                put_string(json, "reason", transaction->store_reason);
}

static void put_transaction(struct text *json, const struct session *session)
{
        const struct transaction *transaction = session->transaction;

        text_put_char(json, '{');
        put_string(json, "id", span_from(transaction->message.id));
        put_string(json, "from", transaction->message.sender);
        put_attempts(json, transaction);
        put_verdicts(json, transaction);
        put_counts(json, transaction);
        put_check_results(json, session);
        put_text(json, transaction);
        if (transaction->final_code > 0)
                put_code(json, "code", transaction->final_code, transaction->final_enhanced);
        if (transaction->final_reject_id[0] != '\0')
                put_string(json, "reject_id", span_from(transaction->final_reject_id));
        put_refusal(json, transaction->final_code, transaction->final_reply);
        put_number(json, "ms", session->host->now_ms - transaction->begun_ms);
        text_put_char(json, '}');
}

/* "2026-11-25T01:02:03.123Z"; all but the fraction is written once a second. */
static void put_time(struct text *json, struct session_host *host)
{
        int64_t second = host->wall_ms / 1000;
        uint64_t ms = (uint64_t)(host->wall_ms % 1000);

        if (second != host->log_second || host->log_time[0] == '\0') {
                struct text date;
                text_over(&date, host->log_time, sizeof host->log_time);
                date_write(&date, second);
                host->log_second = second;
        }
        put_key(json, "time");
        text_put_char(json, '"');
        text_put(json, span_of(host->log_time, sizeof host->log_time));
        text_put(json, span_of((char[]){'.', (char)('0' + ms / 100), (char)('0' + ms / 10 % 10),
                                        (char)('0' + ms % 10), 'Z', '"'},
                               6));
}

static void put_head(struct text *json, struct session *session, const struct address *connected)
{
        text_put_char(json, '{');
        put_time(json, session->host);
        put_string(json, "event", SPAN("session"));
        put_address(json, "client", &session->peer.client);
        put_number(json, "port", session->peer.client_port);
        if (!address_equals(connected, &session->peer.client))
                put_address(json, "proxy", connected);
        if (session->is_trusted) {
                put_key(json, "trusted");
                text_put(json, SPAN("true"));
        }
        put_string(json, "helo", session->helo);
        put_string(json, "protocol", session->is_esmtp ? SPAN("ESMTP") : SPAN("SMTP"));
}

static void put_transactions(struct text *json, struct session *session)
{
        put_key(json, "transactions");
        text_put_char(json, '[');
        const struct record_piece *piece = session->record_last;
        while (piece != NULL) {
                piece = piece->next;
                text_put(json, piece->json);
                if (piece == session->record_last)
                        break;
                text_put_char(json, ',');
        }
        text_put_char(json, ']');
        arena_end(&session->record_arena);
        session->record_last = NULL;
        session->record_length = 0;
}

static void put_client_rate(struct text *json, const struct session *session)
{
        const struct check_setting *setting = &session->snapshot->checks[CHECK_client_rate];

        if (session->client_has_good_history) {
                put_key(json, "good_history");
                text_put(json, SPAN("true"));
        }
        if (session->oddities == NULL || session->oddities->rate_evidence.length == 0)
                return;
        put_key(json, "client_rate");
        text_put_char(json, '{');
        put_string(json, "mode", span_from(check_mode_name(setting->mode)));
        put_string(json, "evidence", session->oddities->rate_evidence);
        put_place(json, setting);
        text_put_char(json, '}');
}

static void put_syntax(struct text *json, const struct session_oddities *oddities)
{
        if (oddities == NULL || oddities->syntax_last == NULL)
                return;
        put_key(json, "syntax");
        syntax_write_faults(json, oddities);
        if (oddities->syntax_faults > oddities->syntax_faults_kept)
                put_number(json, "syntax_omitted", oddities->syntax_faults - oddities->syntax_faults_kept);
}

static void put_end(struct text *json, const struct session *session)
{
        put_string(json, "end", span_from(ending_names[session->ending]));
        if (session->closed_with != REPLY_NONE)
                put_string(json, "reply", span_from(reply_infos[session->closed_with].name));
        if (session->closed_with != REPLY_NONE && reply_infos[session->closed_with].is_policy)
                put_string(json, "reject_id", span_from(session->reject_id));
        if (session->oddities != NULL && session->oddities->limit != NULL)
                put_string(json, "limit", span_from(session->oddities->limit));
        put_client_rate(json, session);
        if (session->oddities != NULL && session->oddities->foreign != NULL)
                put_string(json, "foreign", span_from(session->oddities->foreign));
        if (session->oddities != NULL && session->oddities->early_octets.at != NULL)
                put_string(json, "early", session->oddities->early_octets);
        if (session->oddities != NULL && session->oddities->bad_line.at != NULL)
                put_string(json, "bad_line", session->oddities->bad_line);
        put_syntax(json, session->oddities);
        put_number(json, "code", session->last_code);
        put_number(json, "commands", session->commands_total);
        put_number(json, "errors", session->errors_total);
        put_number(json, "messages", session->messages_total);
        put_number(json, "ms", session->host->now_ms - session->peer.accepted_ms);
}

/* `is_last` is false for a part of a session that goes on. */
static void write_line(struct session *session, bool is_last)
{
        struct text *log = &session->host->log;
        size_t before = log->length;

        log->overflowed = false;
        put_head(log, session, &session->connected);
        put_transactions(log, session);
        if (!is_last || session->record_part > 0)
                put_number(log, "part", ++session->record_part);
        if (is_last)
                put_end(log, session);
        text_put(log, SPAN("}\n"));
        if (log->overflowed) {
                log->length = before;
                log->overflowed = false;
                counter_add(&session->host->counters->metrics[METRIC_log_lines_dropped], 1);
        }
}

static bool keep_piece(struct session *session, struct span json)
{
        struct record_piece *piece = arena_take(&session->record_arena, sizeof *piece);
        struct span copy = arena_copy(&session->record_arena, json);

        if (piece == NULL || copy.at == NULL)
                return false;
        *piece = (struct record_piece){.json = copy};
        if (session->record_last == NULL) {
                piece->next = piece;
        } else {
                piece->next = session->record_last->next;
                session->record_last->next = piece;
        }
        session->record_last = piece;
        session->record_length += json.length;
        return true;
}

void record_transaction(struct session *session)
{
        char octets[TRANSACTION_MAX];
        struct text json;

        text_over(&json, octets, sizeof octets);
        put_transaction(&json, session);
        if (session->record_length + json.length > RECORD_MAX)
                write_line(session, false);
        if (json.overflowed || !keep_piece(session, text_span(&json)))
                counter_add(&session->host->counters->metrics[METRIC_log_lines_dropped], 1);
}

void record_session(struct session *session)
{
        write_line(session, true);
}
