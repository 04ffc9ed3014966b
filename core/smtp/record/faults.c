/* Commands that were refused outside of any mail: by the rule syntax, and greetings by policy where that is answered as
 * soon as it is known. Each of them is in the log, however many there are. */
#include "core/smtp/internal.h"
#include "core/smtp/record/json.h"

#define FAULTS_KEPT 8 /* of a session; then a part of its line tells them */

/* The memory of those that are told is used again. NULL when there is none. */
static struct fault *take(struct session *session)
{
        struct session_oddities *oddities = session_oddities(session);
        struct fault *fault;

        if (oddities == NULL)
                return NULL;
        if (oddities->faults_kept == FAULTS_KEPT)
                record_part(session);
        struct fault **place =
            oddities->faults_kept == 0 ? &oddities->faults_first : &oddities->faults_last->next;
        if (*place == NULL && (fault = arena_take(&session->arena, sizeof *fault)) != NULL) {
                fault->next = NULL;
                *place = fault;
        }
        if (*place == NULL && oddities->faults_kept > 0) {
                record_part(session);
                place = &oddities->faults_first;
        }
        if (*place == NULL)
                return NULL;
        oddities->faults_kept++;
        return oddities->faults_last = *place;
}

/* Without memory, and so at once: nothing is kept. */
static void tell(struct session *session, struct fault *fault)
{
        struct session_oddities alone = {.faults_first = fault, .faults_last = fault, .faults_kept = 1};
        struct session_oddities *own = session->oddities;

        session->oddities = &alone;
        record_part(session);
        session->oddities = own;
}

static void set(struct fault *fault, const struct session *session, enum check_id check, enum reply_id reply,
                struct span evidence)
{
        fault->check = check_infos[check].name;
        fault->reply = reply;
        /* A line without end is the one behind those that have run. */
        fault->command = session->commands_total + (session->line_bare != '\0' || session->line_skipped > 0);
        memcpy(fault->reject_id, session->reject_id, sizeof fault->reject_id);
        fault->evidence_length =
            (uint8_t)(evidence.length < sizeof fault->evidence ? evidence.length : sizeof fault->evidence);
        if (evidence.length > 0)
                memcpy(fault->evidence, evidence.at, fault->evidence_length);
}

void record_fault(struct session *session, enum check_id check, enum reply_id reply, struct span evidence)
{
        struct fault lone = {0}, *fault = take(session);

        if (session->oddities != NULL)
                session->oddities->syntax_faults += check == CHECK_syntax;
        set(fault == NULL ? &lone : fault, session, check, reply, evidence);
        if (fault == NULL)
                tell(session, &lone);
}

/* ---- rendering ----------------------------------------------------------------------------------------- */

static bool is_syntax(const struct fault *fault)
{
        return fault->check == check_infos[CHECK_syntax].name;
}

static void put_fault(struct text *json, const struct session *session, const struct fault *fault)
{
        const struct reply_template *template = &session->snapshot->replies[fault->reply];

        text_put_char(json, '{');
        put_number(json, "command", fault->command);
        if (!is_syntax(fault)) {
                put_code(json, "code", template->code, template->enhanced);
                put_string(json, "check", span_from(fault->check));
        }
        put_string(json, "reply", span_from(reply_infos[fault->reply].name));
        if (fault->evidence_length > 0)
                put_string(json, "evidence", span_of(fault->evidence, fault->evidence_length));
        if (fault->reject_id[0] != '\0')
                put_string(json, "reject_id", span_from(fault->reject_id));
        text_put_char(json, '}');
}

/* Those of one kind; no array when there is none. */
static void put_kind(struct text *json, const struct session *session, const char *key, bool of_syntax)
{
        const struct fault *fault = session->oddities->faults_first;
        bool is_any = false;

        for (uint32_t i = 0; i < session->oddities->faults_kept; i++, fault = fault->next) {
                if (is_syntax(fault) != of_syntax)
                        continue;
                if (!is_any)
                        put_key(json, key);
                text_put_char(json, is_any ? ',' : '[');
                put_fault(json, session, fault);
                is_any = true;
        }
        if (is_any)
                text_put_char(json, ']');
}

void record_put_faults(struct text *json, const struct session *session)
{
        if (session->oddities == NULL || session->oddities->faults_kept == 0)
                return;
        put_kind(json, session, "greetings", false);
        put_kind(json, session, "syntax", true);
        session->oddities->faults_kept = 0;
}
