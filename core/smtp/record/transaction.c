/* What the log tells of a transaction: collected while it lasts, rendered as a JSON object when it ends. With more
 * recipients than one object holds it is told in pieces while it lasts: each of them is to be found, and a client
 * may name as many as it likes. */
#include "core/check/hooks.h"
#include "core/smtp/internal.h"
#include "core/smtp/record/author.h"
#include "core/smtp/record/json.h"

#include <assert.h>

#define TRANSACTION_MAX  24704 /* octets of one object */
#define LINE_REST_MAX    8000  /* octets of a line around it */
#define REFUSED_MAIL_MAX 4096  /* octets of that of a mail that MAIL was refused for */
#define ATTEMPTS_MAX     8192  /* of them for recipients */
#define FINDINGS_MAX     8     /* verdicts told for one transaction */
/* Octets of a recipient's object without its address: with the longest names of a check and a reply, or taken. */
#define ATTEMPT_REFUSED_MAX 176
#define ATTEMPT_TAKEN_MAX   48

static_assert(TRANSACTION_MAX + LINE_REST_MAX <= LOG_LINE_MAX, "a line has room for each object");

/* A RCPT command and its answer, for the log. */
struct attempt {
        struct attempt *next;
        struct span address;
        uint16_t code;
        struct span enhanced;
        struct span
            reason; /* the words of a next hop, or why a source of recipients is unsure; empty: neither */
        const char *check; /* who refused; NULL: nobody */
        enum reply_id reply;
        char reject_id[ID_TEXT_SIZE];
};

/* ---- rendering ----------------------------------------------------------------------------------------- */

/* The name of a reply that is none of the good ones: operators may have changed its code. */
static void put_refusal(struct text *json, uint16_t code, enum reply_id reply)
{
        if (code >= 400)
                put_string(json, "reply", span_from(reply_infos[reply].name));
}

static void put_attempt(struct text *json, const struct attempt *attempt)
{
        text_put_char(json, '{');
        put_string(json, "to", attempt->address);
        put_code(json, "code", attempt->code, attempt->enhanced);
        if (attempt->check != NULL)
                put_string(json, "check", span_from(attempt->check));
        if (attempt->reject_id[0] != '\0')
                put_string(json, "reject_id", span_from(attempt->reject_id));
        put_refusal(json, attempt->code, attempt->reply);
        if (attempt->reason.length > 0)
                put_string(json, "reason", attempt->reason);
        text_put_char(json, '}');
}

static void put_attempts(struct text *json, const struct transaction *transaction)
{
        put_key(json, "rcpts");
        text_put_char(json, '[');
        for (const struct attempt *attempt = transaction->attempts; attempt != NULL;
             attempt = attempt->next) {
                if (attempt != transaction->attempts)
                        text_put_char(json, ',');
                put_attempt(json, attempt);
        }
        text_put_char(json, ']');
        if (transaction->attempts_before > 0)
                put_number(json, "rcpts_before", transaction->attempts_before);
}

void record_put_place(struct text *json, const struct check_setting *setting)
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
        put_string(json, "result", span_from(verdict_result_names[verdict->result]));
        put_string(
            json, "mode",
            span_from(check_mode_name(verdict->only_observes ? CHECK_MODE_OBSERVE : finding->setting->mode)));
        put_string(
            json, "stage",
            span_from(stage_name(verdict->is_of_text ? STAGE_DATA : check_infos[verdict->check].stage)));
        put_string(json, "reply", span_from(reply_infos[verdict->reply].name));
        put_string(json, "evidence", verdict->evidence);
        record_put_place(json, finding->setting);
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
        if (transaction->message.is_quarantined) {
                put_key(json, "quarantined");
                text_put_string(json, "true");
        }
        if (transaction->stored_file.length > 0)
                put_string(json, "file", transaction->stored_file);
        if (transaction->store_reason.length > 0)
                put_string(json, "reason", transaction->store_reason);
        if (transaction->store_hop.length > 0)
                put_string(json, "next_hop", transaction->store_hop);
        if (transaction->store_words.length > 0)
                put_string(json, "hop_answer", transaction->store_words);
}

static void put_final(struct text *json, const struct transaction *transaction)
{
        if (transaction->final_code > 0)
                put_code(json, "code", transaction->final_code, transaction->final_enhanced);
        if (transaction->final_reject_id[0] != '\0')
                put_string(json, "reject_id", span_from(transaction->final_reject_id));
        put_refusal(json, transaction->final_code, transaction->final_reply);
}

static void put_beginning(struct text *json, const struct transaction *transaction)
{
        text_put_char(json, '{');
        put_string(json, "id", span_from(transaction->message.id));
        put_string(json, "from", transaction->message.sender);
        put_attempts(json, transaction);
}

static void put_transaction(struct text *json, const struct session *session)
{
        const struct transaction *transaction = session->transaction;

        put_beginning(json, transaction);
        put_verdicts(json, transaction);
        put_counts(json, transaction);
        put_check_results(json, session);
        record_put_author(json, session);
        put_text(json, transaction);
        put_final(json, transaction);
        put_number(json, "ms", session->host->now_ms - transaction->begun_ms);
        text_put_char(json, '}');
}

/* Its memory serves those that follow. */
static void forget_attempts(struct transaction *transaction)
{
        transaction->attempts_before = transaction->attempt_count;
        transaction->attempts = NULL;
        transaction->attempts_end = &transaction->attempts;
        transaction->attempts_room = 0;
        arena_end(&transaction->attempt_arena);
}

/* Of a transaction that goes on: at once, and without memory. */
static void write_piece(struct session *session)
{
        struct transaction *transaction = session->transaction;
        char octets[TRANSACTION_MAX];
        struct text json;

        text_over(&json, octets, sizeof octets);
        put_beginning(&json, transaction);
        put_final(&json, transaction);
        put_key(&json, "continued");
        text_put(&json, SPAN("true}"));
        record_write(session, &json);
        forget_attempts(transaction);
}

/* ---- collecting ---------------------------------------------------------------------------------------- */

/* What is no printable ASCII may become \uXXXX. */
static size_t string_room(struct span string)
{
        bool is_plain = span_is_ascii(string) && !span_has_control(string);
        return string.length * (is_plain ? 2 : 6);
}

/* Octets that its JSON object may have. */
static size_t attempt_room(const struct attempt *attempt)
{
        return string_room(attempt->address) + string_room(attempt->reason) +
               (attempt->code < 400 ? ATTEMPT_TAKEN_MAX : ATTEMPT_REFUSED_MAX);
}

/* Behind the first piece in an arena that ends with each of them. */
static bool keep_attempt(struct transaction *transaction, const struct attempt *given)
{
        struct arena *arena =
            transaction->attempts_before > 0 ? &transaction->attempt_arena : &transaction->arena;
        struct attempt *attempt = arena_take(arena, sizeof *attempt);
        struct span address = arena_copy(arena, given->address);
        struct span reason = arena_copy(arena, given->reason);
        struct span enhanced = arena_copy(arena, given->enhanced);

        if (attempt == NULL || address.at == NULL || enhanced.at == NULL)
                return false;
        *attempt = *given;
        attempt->address = address;
        attempt->reason = reason;
        attempt->enhanced = enhanced;
        *transaction->attempts_end = attempt;
        transaction->attempts_end = &attempt->next;
        return true;
}

void record_attempt(struct session *session, const struct reply_about *about, enum reply_id reply,
                    const char *check)
{
        struct transaction *transaction = session->transaction;
        const struct reply_template *template = &session->snapshot->replies[reply];
        struct attempt attempt = {
            .address = about->recipient,
            .code = about->code != 0 ? about->code : template->code,
            .enhanced = about->code != 0 ? about->enhanced : template->enhanced,
            .reason = about->code != 0 || reply == REPLY_recipient_unsure ? about->subject : SPAN(""),
            .check = check,
            .reply = reply,
        };
        size_t room = attempt_room(&attempt);

        if (session->tape != NULL)
                tape_blame_answer(session, check);
        memcpy(attempt.reject_id, session->reject_id, sizeof attempt.reject_id);
        if (transaction->attempts_room + room > ATTEMPTS_MAX)
                write_piece(session);
        transaction->attempt_count++;
        if (keep_attempt(transaction, &attempt)) {
                transaction->attempts_room += room;
                return;
        }
        /* Without memory it is told while it is still here. */
        *transaction->attempts_end = &attempt;
        write_piece(session);
}

void record_finding(struct session *session, const struct verdict *verdict,
                    const struct check_setting *setting)
{
        struct transaction *transaction = session->transaction;
        struct finding *finding;

        follow_verdict(session, verdict, setting);
        if (session->tape != NULL && setting->mode == CHECK_MODE_ENFORCE && !verdict->only_observes)
                tape_blame(session, verdict->check);
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

static void set_final(const struct session *session, struct transaction *transaction, enum reply_id reply)
{
        transaction->final_code = session->snapshot->replies[reply].code;
        transaction->final_reply = reply;
        transaction->final_enhanced = session->snapshot->replies[reply].enhanced;
        memcpy(transaction->final_reject_id, session->reject_id, sizeof transaction->final_reject_id);
}

/* DATA may be refused more than once, and each reject id is to be found; those of the rule syntax are elsewhere. */
void record_final(struct session *session, enum reply_id reply)
{
        struct transaction *transaction = session->transaction;

        if (transaction->final_reject_id[0] != '\0' && !reply_infos[transaction->final_reply].is_syntax)
                write_piece(session);
        set_final(session, transaction, reply);
}

void record_stored(struct session *session, const struct store_report *report)
{
        struct transaction *transaction = session->transaction;

        transaction->is_stored = report->outcome == STORE_DONE;
        transaction->stored_file = arena_copy(&transaction->arena, report->file);
        transaction->store_reason = arena_copy(&transaction->arena, report->reason);
        transaction->store_hop = arena_copy(&transaction->arena, report->hop);
        transaction->store_words = arena_copy(&transaction->arena, report->words);
}

void record_transaction(struct session *session)
{
        char octets[TRANSACTION_MAX];
        struct text json;

        text_over(&json, octets, sizeof octets);
        put_transaction(&json, session);
        record_count_author(session);
        record_keep(session, &json);
        forget_attempts(session->transaction);
}

/* The rule syntax has just noted it, unless it had no memory to. */
static struct span fault_evidence(const struct session *session)
{
        const struct session_oddities *oddities = session->oddities;
        const struct fault *fault = oddities == NULL ? NULL : oddities->faults_last;
        bool is_this = fault != NULL && strcmp(fault->reject_id, session->reject_id) == 0;

        return is_this ? span_of(fault->evidence, fault->evidence_length) : SPAN("");
}

/* The same fields as of others, so that whoever looks for its sender or its reject id finds it. */
void record_refused_mail(struct session *session, struct span sender, enum reply_id reply)
{
        struct transaction transaction = {.message.sender = sender};
        struct verdict verdict = {.check = CHECK_syntax,
                                  .result = VERDICT_REFUSE,
                                  .reply = reply,
                                  .evidence = fault_evidence(session)};
        struct finding finding = {.verdict = &verdict, .setting = &session->snapshot->checks[CHECK_syntax]};
        char octets[REFUSED_MAIL_MAX];
        struct text json;

        ids_write(&session->host->ids, session->host->wall_ms, transaction.message.id);
        set_final(session, &transaction, reply);
        if (reply_infos[reply].is_syntax)
                transaction.findings = &finding;
        text_over(&json, octets, sizeof octets);
        put_beginning(&json, &transaction);
        put_verdicts(&json, &transaction);
        put_counts(&json, &transaction);
        put_final(&json, &transaction);
        put_number(&json, "ms", 0);
        text_put_char(&json, '}');
        record_keep(session, &json);
}
