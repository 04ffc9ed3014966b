/* What the rule syntax (P10) has refused: counted, and kept for the log. Whether something is refused is decided where
 * it is read. */
#include "core/smtp/internal.h"

#include <inttypes.h>

void syntax_note(struct session *session, enum reply_id reply, struct span evidence)
{
        counter_add(&session->host->counters->refused[CHECK_syntax], 1);
        if (session->state != SESSION_STATE_TEXT)
                record_fault(session, CHECK_syntax, reply, evidence);
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
