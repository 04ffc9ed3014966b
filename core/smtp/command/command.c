/* The command table (RFC 5321 4.1, 4.1.4) and the commands that need no envelope. */
#include "core/base/domain_name.h"
#include "core/smtp/internal.h"

typedef enum session_wish command_function(struct session *session, struct span arguments, struct text *out);

/* When a command is in order. */
enum command_need { NEED_NOTHING, NEED_HELO, NEED_NO_MAIL, NEED_MAIL };

struct command {
        struct span verb;
        command_function *run; /* NULL: known, but not offered */
        enum command_need need;
        bool is_junk; /* costs us and brings no mail: limited */
        bool takes_arguments;
        enum time_id time; /* of its stage */
};

static enum session_wish answer(struct session *session, struct text *out, enum reply_id id)
{
        session_reply(session, out, id);
        return SESSION_READ;
}

/* ---- HELO, EHLO ---------------------------------------------------------------------------------------- */

bool helo_set(struct session *session, struct span name)
{
        transaction_end(session);
        /* Some clients greet before each message: only a new name costs memory. */
        if (session->helo.length > 0 && span_equals(name, session->helo))
                return true;
        struct span copy = arena_copy(&session->arena, name);
        if (copy.at == NULL)
                return false;
        session->helo = copy;
        stage_helo(session);
        return true;
}

/* REPLY_NONE when one name follows. What sort of name it is, is for the checks to judge. */
static enum reply_id greeting_fault(struct span name)
{
        if (name.length == 0)
                return REPLY_helo_missing;
        if (span_find(name, ' ') != SIZE_MAX)
                return REPLY_helo_not_alone;
        if (domain_name_without_dot(name).length > DOMAIN_NAME_MAX)
                return REPLY_helo_too_long;
        return REPLY_NONE;
}

/* A verdict that HELO needs is not in yet. */
static enum session_wish helo_wait(struct session *session, enum parked parked, struct span name,
                                   struct text *out)
{
        if (!session_defers(session))
                return session_park(session, parked, name, out);
        session_note_deferral(session);
        return answer(session, out, REPLY_overloaded_mail);
}

/* No mail has begun, so that the log has nowhere else to tell of it. */
static enum session_wish refuse_greeting(struct session *session, const struct verdict *verdict,
                                         struct text *out)
{
        session_reply_about(session, out, verdict->reply, &(struct reply_about){.subject = verdict->subject});
        record_fault(session, verdict->check, verdict->reply, verdict->evidence);
        return SESSION_READ;
}

static enum session_wish greet_client(struct session *session, struct span name, bool is_esmtp,
                                      struct text *out)
{
        name = span_trim(name); /* two blanks behind the verb are harmless, and common enough */
        enum reply_id fault = greeting_fault(name);
        if (fault != REPLY_NONE)
                return answer(session, out, fault);
        if (session->helo.length > 0 && session->parked == PARKED_NOTHING)
                session->junk++;
        enum parked parked = is_esmtp ? PARKED_EHLO : PARKED_HELO;
        enum session_wish wish;
        if (stage_helo_waits(session))
                return helo_wait(session, parked, name, out);
        if (!span_equals(name, session->helo) && session_holds(session, parked, name, out, &wish))
                return wish;
        if (!helo_set(session, name))
                return answer(session, out, REPLY_out_of_memory);
        session->is_esmtp = is_esmtp;
        if (session->snapshot->options.reject_at == REJECT_AT_FIRST) {
                struct judgement judgement = stage_judge(session, session->snapshot->checks, NULL);
                if (judgement.result == VERDICT_WAIT)
                        return helo_wait(session, parked, name, out);
                if (judgement.result != VERDICT_PASS)
                        return refuse_greeting(session, judgement.verdict, out);
        }
        if (is_esmtp)
                ehlo_put_capabilities(session, out);
        else
                session_reply(session, out, REPLY_helo);
        return SESSION_READ;
}

static enum session_wish command_helo(struct session *session, struct span arguments, struct text *out)
{
        return greet_client(session, arguments, false, out);
}

static enum session_wish command_ehlo(struct session *session, struct span arguments, struct text *out)
{
        return greet_client(session, arguments, true, out);
}

/* ---- small ones ---------------------------------------------------------------------------------------- */

static enum session_wish command_rset(struct session *session, struct span arguments, struct text *out)
{
        (void)arguments;
        transaction_end(session);
        return answer(session, out, REPLY_reset_ok);
}

static enum session_wish command_noop(struct session *session, struct span arguments, struct text *out)
{
        (void)arguments;
        return answer(session, out, REPLY_noop_ok);
}

static enum session_wish command_vrfy(struct session *session, struct span arguments, struct text *out)
{
        return answer(session, out, arguments.length == 0 ? REPLY_verify_nobody : REPLY_verify);
}

static enum session_wish command_help(struct session *session, struct span arguments, struct text *out)
{
        (void)arguments;
        return answer(session, out, REPLY_help);
}

static enum session_wish command_quit(struct session *session, struct span arguments, struct text *out)
{
        (void)arguments;
        return session_close(session, out, REPLY_goodbye);
}

/* ---- table --------------------------------------------------------------------------------------------- */

#define VERB(text)                                                                                           \
        {                                                                                                    \
                text, sizeof(text) - 1                                                                       \
        }

static const struct command commands[] = {
    /* verb            run              need          junk   arguments  time */
    {VERB("HELO"), command_helo, NEED_NOTHING, false, true, TIME_stage_helo},
    {VERB("EHLO"), command_ehlo, NEED_NOTHING, false, true, TIME_stage_helo},
    {VERB("MAIL"), command_mail, NEED_NO_MAIL, false, true, TIME_stage_mail},
    {VERB("RCPT"), command_rcpt, NEED_MAIL, false, true, TIME_stage_rcpt},
    {VERB("DATA"), command_data, NEED_MAIL, false, false, TIME_NONE},
    {VERB("RSET"), command_rset, NEED_NOTHING, true, false, TIME_NONE},
    {VERB("NOOP"), command_noop, NEED_NOTHING, true, true, TIME_NONE},
    {VERB("VRFY"), command_vrfy, NEED_NOTHING, true, true, TIME_NONE},
    {VERB("HELP"), command_help, NEED_NOTHING, true, true, TIME_NONE},
    {VERB("QUIT"), command_quit, NEED_NOTHING, false, false, TIME_NONE},
    {VERB("STARTTLS"), command_starttls, NEED_NOTHING, true, false, TIME_NONE},
    {VERB("XCLIENT"), command_xclient, NEED_NOTHING, true, true, TIME_NONE},
    {VERB("EXPN"), NULL, NEED_NOTHING, true, true, TIME_NONE},
    {VERB("AUTH"), NULL, NEED_NOTHING, true, true, TIME_NONE},
    {VERB("BDAT"), NULL, NEED_NOTHING, true, true, TIME_NONE},
    {VERB("ETRN"), NULL, NEED_NOTHING, true, true, TIME_NONE},
    {VERB("TURN"), NULL, NEED_NOTHING, true, true, TIME_NONE},
    {VERB("SEND"), NULL, NEED_NOTHING, true, true, TIME_NONE},
    {VERB("SOML"), NULL, NEED_NOTHING, true, true, TIME_NONE},
    {VERB("SAML"), NULL, NEED_NOTHING, true, true, TIME_NONE},
};

/* By the first letter nearly all others are ruled out. */
static const struct command *command_find(struct span verb)
{
        char first = verb.length > 0 ? (char)(verb.at[0] & ~0x20) : '\0'; /* that bit is the case */

        for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
                if (commands[i].verb.at[0] == first && span_equals_nocase(verb, commands[i].verb))
                        return &commands[i];
        return NULL;
}

/* RFC 5321 4.1.1 tolerates white space before the end of the line. */
static struct span without_trailing_blanks(struct span line)
{
        while (line.length > 0 && (line.at[line.length - 1] == ' ' || line.at[line.length - 1] == '\t'))
                line.length--;
        return line;
}

/* Where the line has a control character; it has one. */
static void put_control(struct text *evidence, struct span line)
{
        size_t at = 0;

        while (!ascii_is_control(line.at[at]))
                at++;
        syntax_put_octet(evidence, at);
        text_printf(evidence, ", 0x%02X", (unsigned)line.at[at]);
}

/* REPLY_NONE when the command is in order (RFC 5321 4.1.4). */
static enum reply_id order_fault(const struct session *session, enum command_need need)
{
        if (need == NEED_NOTHING)
                return REPLY_NONE;
        if (session->helo.length == 0)
                return REPLY_helo_first;
        if (need == NEED_NO_MAIL && session->transaction != NULL)
                return REPLY_mail_already;
        if (need == NEED_MAIL && session->transaction == NULL)
                return REPLY_mail_first;
        return REPLY_NONE;
}

static enum session_wish answer_about(struct session *session, struct text *out, enum reply_id id,
                                      struct span subject)
{
        session_reply_about(session, out, id, &(struct reply_about){.subject = subject});
        return SESSION_READ;
}

static enum session_wish run_or_refuse(struct session *session, struct span line, struct text *out)
{
        char octets[SYNTAX_EVIDENCE_MAX];
        struct text evidence;

        line = without_trailing_blanks(line);
        if (span_has_control(line)) {
                text_over(&evidence, octets, sizeof octets);
                put_control(&evidence, line);
                return answer_about(session, out, REPLY_line_bad_octet, text_span(&evidence));
        }
        struct span arguments = line, verb = span_take_word(&arguments);
        const struct command *command = command_find(verb);
        if (command == NULL)
                return answer(session, out, REPLY_command_unknown);
        if (command->is_junk)
                session->junk++;
        if (command->run == NULL)
                return answer(session, out, REPLY_command_not_implemented);
        if (!command->takes_arguments && arguments.length > 0)
                return answer(session, out, REPLY_arguments_unwanted);
        enum reply_id fault = order_fault(session, command->need);
        if (fault != REPLY_NONE)
                return answer(session, out, fault);
        enum session_wish wish = command->run(session, arguments, out);
        if (command->time != TIME_NONE && wish != SESSION_PARK)
                histogram_add(&session->host->counters->times[command->time], 0);
        return wish;
}

enum session_wish command_resume(struct session *session, enum parked parked, struct span arguments,
                                 struct text *out)
{
        switch (parked) {
        case PARKED_HELO:
                return command_helo(session, arguments, out);
        case PARKED_EHLO:
                return command_ehlo(session, arguments, out);
        case PARKED_MAIL:
                return session->transaction == NULL ? command_mail(session, arguments, out)
                                                    : mail_judge(session, arguments, out);
        case PARKED_RCPT:
                return command_rcpt(session, arguments, out);
        case PARKED_DATA:
                return command_data(session, arguments, out);
        case PARKED_NOTHING:
                break;
        }
        expect(false);
}

static uint32_t syntax_faults(const struct session *session)
{
        return session->oddities == NULL ? 0 : session->oddities->syntax_faults;
}

static bool is_blank(char octet)
{
        return octet == ' ' || octet == '\t';
}

/* What goes into a log of a line. Behind the mechanism of AUTH stands a password, or as good as one (RFC 4954 4). Who
 * does not heed that we have no AUTH sends it on the next lines. */
static struct span without_secret(struct session *session, struct span line)
{
        struct span trimmed = span_trim(line), rest = trimmed;
        size_t end = 4; /* of AUTH */

        if (session->sends_secrets && command_find(span_take_word(&rest)) == NULL)
                return SPAN("*");
        session->sends_secrets = span_starts_nocase(trimmed, SPAN("AUTH"));
        if (!session->sends_secrets)
                return line;
        while (end < trimmed.length && is_blank(trimmed.at[end]))
                end++;
        while (end < trimmed.length && !is_blank(trimmed.at[end]))
                end++;
        return span_of(line.at, (size_t)(trimmed.at - line.at) + end);
}

/* The last line that was a fault of protocol, for whoever asks why a client gets nowhere. */
static void keep_bad_line(struct session *session, struct span line)
{
        struct session_oddities *oddities = session_oddities(session);
        char *piece = oddities == NULL ? NULL : (char *)(uintptr_t)oddities->bad_line.at;

        if (oddities == NULL ||
            (piece == NULL && (piece = arena_take(&session->arena, LOG_INPUT_MAX)) == NULL))
                return;
        oddities->bad_line = span_of(piece, line.length < LOG_INPUT_MAX ? line.length : LOG_INPUT_MAX);
        if (line.length > 0)
                memcpy(piece, line.at, oddities->bad_line.length);
}

enum session_wish command_run(struct session *session, struct span line, enum reply_id fault,
                              struct span evidence, struct text *out)
{
        const struct options *options = &session->snapshot->options;
        uint32_t errors = session->errors, faults = syntax_faults(session);

        if (session->host->follow.active != 0)
                follow_command(session, line, out);
        struct span told = without_secret(session, line);
        if (session->tape != NULL)
                tape_command(session, told, fault);
        session->commands++;
        session->commands_total++;
        counter_add(&session->host->counters->metrics[METRIC_commands], 1);
        if (session->errors >= options->errors_max)
                return session_close(session, out, REPLY_too_many_errors);
        if (session->commands > options->commands_max || session->junk >= options->junk_max)
                return session_close(session, out, REPLY_too_many_commands);
        enum session_wish wish = fault == REPLY_NONE ? run_or_refuse(session, line, out)
                                                     : answer_about(session, out, fault, evidence);
        if (session->errors > errors && (session->reject_id[0] == '\0' || syntax_faults(session) > faults))
                keep_bad_line(session, told);
        if (session->followed != 0)
                follow_replies(session, out);
        return wish;
}
