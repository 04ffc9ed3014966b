/* What the rule syntax (P10) has refused: counted, and kept for the log. Whether something is refused is decided where
 * it is read. */
#include "core/smtp/internal.h"

#include <inttypes.h>

#define FAULTS_KEPT 8 /* of a session; then a part of its line tells them */

/* The memory of those that are told is used again. NULL when there is none. */
static struct syntax_fault *fault_take(struct session *session, struct session_oddities *oddities)
{
        struct syntax_fault *fault;

        if (oddities->syntax_faults_kept == FAULTS_KEPT)
                record_part(session);
        struct syntax_fault **place =
            oddities->syntax_faults_kept == 0 ? &oddities->syntax_first : &oddities->syntax_last->next;
        if (*place == NULL && (fault = arena_take(&session->arena, sizeof *fault)) != NULL) {
                fault->next = NULL;
                *place = fault;
        }
        if (*place == NULL && oddities->syntax_faults_kept > 0) {
                record_part(session);
                place = &oddities->syntax_first;
        }
        if (*place == NULL)
                return NULL;
        oddities->syntax_faults_kept++;
        return oddities->syntax_last = *place;
}

static void keep_fault(struct session *session, enum reply_id reply, struct span evidence)
{
        struct session_oddities *oddities = session_oddities(session);
        struct syntax_fault *fault;

        if (oddities == NULL)
                return;
        oddities->syntax_faults++;
        if ((fault = fault_take(session, oddities)) == NULL)
                return;
        fault->reply = reply;
        /* A line without end is the one behind those that have run. */
        fault->command = session->commands_total + (session->line_bare != '\0' || session->line_skipped > 0);
        memcpy(fault->reject_id, session->reject_id, sizeof fault->reject_id);
        fault->evidence_length =
            (uint8_t)(evidence.length < sizeof fault->evidence ? evidence.length : sizeof fault->evidence);
        if (evidence.length > 0)
                memcpy(fault->evidence, evidence.at, fault->evidence_length);
}

void syntax_note(struct session *session, enum reply_id reply, struct span evidence)
{
        counter_add(&session->host->counters->refused[CHECK_syntax], 1);
        if (session->state != SESSION_STATE_TEXT)
                keep_fault(session, reply, evidence);
}

void syntax_write_faults(struct text *json, const struct session_oddities *oddities)
{
        const struct syntax_fault *fault = oddities->syntax_first;

        for (uint32_t i = 0; i < oddities->syntax_faults_kept; i++, fault = fault->next) {
                text_printf(json, "%s\"command\":%" PRIu32 ",\"reply\":\"%s\"", i == 0 ? "[{" : ",{",
                            fault->command, reply_infos[fault->reply].name);
                if (fault->evidence_length > 0) {
                        text_put(json, SPAN(",\"evidence\":"));
                        text_put_json(json, span_of(fault->evidence, fault->evidence_length));
                }
                text_printf(json, ",\"reject_id\":\"%s\"}", fault->reject_id);
        }
        text_put_char(json, ']');
}

void syntax_put_octet(struct text *evidence, uint64_t before)
{
        text_put_string(evidence, "octet ");
        text_put_number(evidence, before + 1);
}

void syntax_put_length(struct text *evidence, uint64_t octets)
{
        text_put_number(evidence, octets);
        text_put_string(evidence, " octets");
}

void syntax_refuse(struct session *session, struct text *out, enum reply_id reply, const char *verb,
                   struct span arguments, struct span rest)
{
        char octets[SYNTAX_EVIDENCE_MAX];
        struct text evidence;

        text_over(&evidence, octets, sizeof octets);
        syntax_put_octet(&evidence, arguments.length - rest.length);
        text_put_string(&evidence, " of the arguments of ");
        text_put_string(&evidence, verb);
        session_reply_about(session, out, reply, &(struct reply_about){.subject = text_span(&evidence)});
}

/* ---- texts --------------------------------------------------------------------------------------------- */

#define TEXT_EVIDENCE_MAX 320

static const struct {
        enum reply_id reply;
        const char *name;
} flaws[TEXT_FLAWS] = {
    [TEXT_FLAW_BARE_CR] = {REPLY_message_bare_cr, "bare CR"},
    [TEXT_FLAW_BARE_LF] = {REPLY_message_bare_lf, "bare LF"},
    [TEXT_FLAW_NUL] = {REPLY_message_nul, "NUL"},
    [TEXT_FLAW_LONG_LINE] = {REPLY_message_line_too_long, "overlong line"},
    [TEXT_FLAW_LONE_DOT] = {REPLY_message_bad_end, "lone dot"},
};

enum reply_id syntax_text_reply(enum text_flaw flaw)
{
        return flaws[flaw].reply;
}

/* "octet 3 of line 2" */
static void put_place(struct text *text, const struct text_scan *scan, enum text_flaw flaw)
{
        const struct text_place *place = &scan->flaws[flaw];

        if (flaw == TEXT_FLAW_LONG_LINE)
                text_printf(text, "line %" PRIu64 " of %" PRIu64 " octets", place->line, place->octet);
        else
                text_printf(text, "octet %" PRIu64 " of line %" PRIu64, place->octet, place->line);
}

/* All that was found. */
static struct span text_evidence(struct session *session)
{
        struct transaction *transaction = session->transaction;
        const struct text_scan *scan = &transaction->scan;
        char octets[TEXT_EVIDENCE_MAX];
        struct text text;

        text_over(&text, octets, sizeof octets);
        for (enum text_flaw flaw = 0; flaw < TEXT_FLAWS; flaw++) {
                if (scan->flaws[flaw].line == 0)
                        continue;
                text_printf(&text, "%s%s: ", text.length > 0 ? "; " : "", flaws[flaw].name);
                put_place(&text, scan, flaw);
                if (flaw == TEXT_FLAW_BARE_LF && scan->bare_lfs > 1)
                        text_printf(&text, ", %" PRIu64 " in all", scan->bare_lfs);
        }
        return arena_copy(&transaction->arena, text_span(&text));
}

static enum reply_id first_reply(const struct text_scan *scan)
{
        for (enum text_flaw flaw = 0; flaw < TEXT_FLAWS; flaw++)
                if (scan->flaws[flaw].line > 0)
                        return flaws[flaw].reply;
        return REPLY_NONE;
}

/* Where the flaw that this reply is about was first; of a bad end, where it is now. */
static struct span text_place(struct session *session, enum reply_id reply)
{
        struct transaction *transaction = session->transaction;
        const struct text_scan *scan = &transaction->scan;
        char octets[SYNTAX_EVIDENCE_MAX];
        struct text text;

        text_over(&text, octets, sizeof octets);
        if (reply == REPLY_message_bad_end)
                text_printf(&text, "line %" PRIu64, scan->line - 1);
        for (enum text_flaw flaw = 0; flaw < TEXT_FLAW_LONE_DOT; flaw++)
                if (flaws[flaw].reply == reply)
                        put_place(&text, scan, flaw);
        return arena_copy(&transaction->arena, text_span(&text));
}

/* For all recipients, and however much else was found. */
static void add_finding(struct session *session, const struct verdict *verdict)
{
        struct transaction *transaction = session->transaction;
        struct finding *finding = arena_take(&transaction->arena, sizeof *finding);

        if (finding == NULL)
                return;
        *finding = (struct finding){transaction->findings, verdict, &session->snapshot->checks[CHECK_syntax],
                                    (uint32_t)transaction->message.recipient_count};
        transaction->findings = finding;
}

struct span syntax_note_text(struct session *session, enum reply_id reply)
{
        struct transaction *transaction = session->transaction;
        enum reply_id found = reply == REPLY_NONE ? first_reply(&transaction->scan) : reply;

        if (found == REPLY_NONE || transaction->is_syntax_noted)
                return SPAN("");
        struct verdict *verdict = arena_take(&transaction->arena, sizeof *verdict);
        transaction->is_syntax_noted = true;
        if (verdict == NULL)
                return SPAN("");
        *verdict = (struct verdict){
            .check = CHECK_syntax,
            .result = VERDICT_REFUSE,
            .reply = found,
            .subject = text_place(session, found),
            .evidence = text_evidence(session),
            .only_observes = reply == REPLY_NONE,
        };
        if (verdict->only_observes)
                counter_add(&session->host->counters->observed[CHECK_syntax], 1);
        add_finding(session, verdict);
        return verdict->subject;
}
