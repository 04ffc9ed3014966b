/* Who begins with HTTP or TLS speaks no SMTP: a scanner, a browser that somebody has sent to us so that it says
 * commands in his name, or a client that expects TLS at once. None of them waits for our replies, and of TLS no line
 * end may ever come. One reply and the end, then. It is 421, which RFC 5321 3.8 and 4.2.1 keep for a server that
 * closes: should an SMTP client ever be meant, its mail is not lost. Others say 221 there (Postfix's
 * smtpd_forbidden_commands), which is an answer to QUIT alone. */
#include "core/smtp/internal.h"

/* Methods of RFC 9110 9 and RFC 5789, and what a connection of HTTP/2 begins with (RFC 9113 3.4). None of them is a
 * command of SMTP. */
static const struct {
        struct span start;
        const char *name;
} beginnings[] = {
#define METHOD(verb)                                                                                         \
        {                                                                                                    \
                {verb " ", sizeof verb}, "HTTP " verb                                                        \
        }
    METHOD("GET"),
    METHOD("POST"),
    METHOD("HEAD"),
    METHOD("PUT"),
    METHOD("DELETE"),
    METHOD("CONNECT"),
    METHOD("OPTIONS"),
    METHOD("TRACE"),
    METHOD("PATCH"),
    METHOD("PRI"),
#undef METHOD
    {{"HTTP/", 5}, "HTTP"},
    /* a record of the handshake, in any version of TLS or SSL 3 (RFC 8446 5.1) */
    {{"\x16\x03", 2}, "TLS ClientHello"},
};

/* "METHOD /PATH HTTP/1.1", with a method that we do not know. */
static bool is_request_line(struct span line)
{
        struct span method = span_take_word(&line), target = span_take_word(&line);

        return method.length > 0 && target.length > 0 &&
               (target.at[0] == '/' || span_starts_nocase(target, SPAN("http"))) &&
               span_starts_nocase(line, SPAN("HTTP/"));
}

/* NULL: it is SMTP, or too little of it has come to tell. */
static const char *name_of(struct span input)
{
        for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++)
                if (span_starts_nocase(input, beginnings[i].start))
                        return beginnings[i].name;
        /* The same line must not be taken for two things because it came in other pieces. */
        size_t newline = span_find(input, '\n');
        if (newline <= LINE_KEEP_MAX && is_request_line(span_of(input.at, newline)))
                return "HTTP";
        return NULL;
}

/* The one begins with the other, which may be the part of it that has come. */
static bool agree(struct span part, struct span whole)
{
        return part.length < whole.length ? span_starts_nocase(whole, part) : span_starts_nocase(part, whole);
}

/* is_request_line() may be true of a line that begins with this. */
static bool may_be_request_line(struct span part)
{
        struct span method = span_take_word(&part), target = span_take_word(&part);

        if (target.length == 0)
                return method.length > 0;
        return (target.at[0] == '/' || agree(target, SPAN("http"))) && agree(part, SPAN("HTTP/"));
}

bool foreign_may_follow(struct span input)
{
        for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++)
                if (input.length < beginnings[i].start.length &&
                    span_starts_nocase(beginnings[i].start, input))
                        return true;
        return input.length <= LINE_KEEP_MAX && span_find(input, '\n') == SIZE_MAX &&
               may_be_request_line(input);
}

/* Nothing was said yet; or nothing under TLS. What came in plain text need not be of whoever has shaken hands: one who
 * stands between a browser and its server may say STARTTLS here and hand the browser's handshake on (ALPACA). */
static bool is_beginning(const struct session *session)
{
        uint32_t before = session_is_secured(session) ? session->tls->commands_before : 0;
        return session->commands_total == before && session->line_skipped == 0;
}

bool foreign_is_closed(struct session *session, struct span input, struct text *out,
                       enum session_wish *ret_wish)
{
        const char *name;

        if (!is_beginning(session) || (name = name_of(input)) == NULL)
                return false;
        if (session_oddities(session) != NULL)
                session->oddities->foreign = name;
        counter_add(&session->host->counters->metrics[METRIC_sessions_foreign], 1);
        *ret_wish = session_close(session, out, REPLY_foreign_protocol);
        /* For the limits of its client it is a fault, as a 5xx reply would be. */
        session->errors_total++;
        return true;
}
