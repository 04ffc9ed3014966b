/* What the rule syntax (P10) has refused: counted, and kept for the log. Whether something is refused is decided where
 * it is read. */
#include "core/smtp/internal.h"

#include <inttypes.h>

#define FAULTS_KEPT 8 /* of a session, the last ones */

/* A new one, or the oldest in its place. NULL when memory is out. */
static struct syntax_fault *fault_take(struct session *session, struct session_oddities *oddities)
{
        struct syntax_fault *last = oddities->syntax_last, *fault;

        if (oddities->syntax_faults_kept == FAULTS_KEPT)
                return last->next;
        fault = arena_take(&session->arena, sizeof *fault);
        if (fault == NULL)
                return NULL;
        oddities->syntax_faults_kept++;
        fault->next = last == NULL ? fault : last->next;
        if (last != NULL)
                last->next = fault;
        return fault;
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
        oddities->syntax_last = fault;
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
        const struct syntax_fault *fault = oddities->syntax_last;

        for (uint32_t i = 0; i < oddities->syntax_faults_kept; i++) {
                fault = fault->next;
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
        text_put_string(&evidence, " behind ");
        text_put_string(&evidence, verb);
        session_reply_about(session, out, reply, &(struct reply_about){.subject = text_span(&evidence)});
}
