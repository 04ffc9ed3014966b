/* A session without a socket, for gatepost explain. */
#include "workers/cli/explain/made_up/dialogue.h"

#include "core/policy/texts.h"
#include "core/smtp/command/filter.h"
#include "dns/pool/client.h"

#include <stdio.h>

#define ANSWER_WAIT_MS 20000

struct dialogue {
        struct session session;
        struct cli_dns *dns;
        struct text said; /* by the server, not printed yet */
        FILE *out;
        bool is_taken;
};

/* No octet of TLS is needed for what comes behind it. */
static enum session_wish secure(struct session *session, struct text *said)
{
        session_secure(session, true, said);
        return session_secured(session, &(struct tls_facts){"TLSv1.3", "", "", {0}, {0}, false}, said);
}

/* Gives the input to the session and prints what it answers. */
static void hear(struct dialogue *dialogue, struct span *input)
{
        struct session *session = &dialogue->session;
        struct text *said = &dialogue->said;
        enum session_wish wish = session_input(session, input, said);

        while (wish == SESSION_PARK) {
                const struct dns_reply_message *message = cli_dns_wait(dialogue->dns, ANSWER_WAIT_MS);
                if (message == NULL)
                        session->host->now_ms = session->deadline_ms;
                wish = message != NULL ? session_answer(session, &message->question, &message->answer, said)
                                       : session_timeout(session, said);
        }
        if (wish == SESSION_SECURE)
                wish = secure(session, said);
        if (wish == SESSION_FILTER) /* no filter is asked, or hears of a mail that does not exist */
                wish = session_filtered(session, &(struct filter_report){.outcome = FILTER_IS_CONTENT}, said);
        if (wish == SESSION_OPEN)
                session_opened(session, &(struct store_report){.outcome = STORE_DONE}, said);
        for (struct span rest = text_span(said); rest.length > 0;
             rest = span_skip(rest, span_find(rest, '\n') + 1))
                fprintf(dialogue->out, "S: %.*s\n", (int)span_find(rest, '\r'), rest.at);
        said->length = 0;
        if (wish != SESSION_STORE)
                return;
        fprintf(dialogue->out, "the message would be stored%s\n",
                session_message(session)->is_quarantined ? ", with a mark of quarantine" : "");
        dialogue->is_taken = true;
        session_stored(session, &(struct store_report){.outcome = STORE_FAILED}, said);
        said->length = 0;
}

static void play_line(struct dialogue *dialogue, const char *verb, const char *argument)
{
        char octets[1024], shown_octets[1024];
        struct text line, shown;

        if (dialogue->session.state == SESSION_STATE_CLOSED)
                return;
        text_over(&line, octets, sizeof octets);
        text_put_string(&line, verb);
        text_put_string(&line, argument);
        if (verb[strlen(verb) - 1] == '<')
                text_put_char(&line, '>');
        text_over(&shown, shown_octets, sizeof shown_octets);
        text_put_printable(&shown, text_span(&line), true);
        fprintf(dialogue->out, "C: %.*s\n", (int)shown.length, shown.at);
        text_put_string(&line, "\r\n");
        struct span input = text_span(&line);
        hear(dialogue, &input);
}

/* Line by line, dots stuffed (RFC 5321 4.5.2). */
static void say_text(struct dialogue *dialogue, struct span text)
{
        struct span end = SPAN("\r\n.\r\n");

        fprintf(dialogue->out, "C: (%zu octets of text)\n", text.length);
        while (text.length > 0) {
                size_t newline = span_find(text, '\n');
                struct span line = span_of(text.at, newline == SIZE_MAX ? text.length : newline + 1);
                struct span dot = SPAN(".");
                text = span_skip(text, line.length);
                if (text.length == 0 && newline != SIZE_MAX)
                        end = span_skip(end, 2);
                if (line.at[0] == '.')
                        hear(dialogue, &dot);
                hear(dialogue, &line);
        }
        hear(dialogue, &end);
}

static bool must_secure(const struct session *session)
{
        return session->terms.starttls == STARTTLS_REQUIRE && session->state != SESSION_STATE_CLOSED &&
               !session_is_secured(session);
}

/* What a client hears that does not do so. */
static void tell_of_demand(const struct dialogue *dialogue)
{
        struct span status = span_trim(dialogue->session.snapshot->replies[REPLY_tls_required].status);

        fprintf(dialogue->out, "(without STARTTLS MAIL would be answered %.*s: %s)\n", (int)status.length,
                status.at, advice_of_reply(REPLY_tls_required)->why.in[LANGUAGE_ENGLISH]);
}

/* Under TLS where there is no other way, or where that is asked for. */
static void greet(struct dialogue *dialogue, const char *helo, bool speaks_tls)
{
        play_line(dialogue, "EHLO ", helo);
        if (!speaks_tls && !must_secure(&dialogue->session))
                return;
        if (must_secure(&dialogue->session))
                tell_of_demand(dialogue);
        play_line(dialogue, "STARTTLS", "");
        if (!session_is_secured(&dialogue->session))
                return;
        fputs("(both speak TLS from here on)\n", dialogue->out);
        play_line(dialogue, "EHLO ", helo);
}

bool explain_dialogue(const struct question *question, const struct snapshot *snapshot,
                      struct session_host *host, struct cli_dns *dns, FILE *out)
{
        struct session_peer peer = {.client = question->client,
                                    .server = question->listener.address,
                                    .server_port = question->listener.port};
        struct dialogue dialogue = {.dns = dns, .out = out};
        char octets[2 * SESSION_OUT_ROOM];

        text_over(&dialogue.said, octets, sizeof octets);
        session_begin(&dialogue.session, host, snapshot, &peer, &dialogue.said);
        if (dialogue.session.state == SESSION_STATE_PAUSE)
                session_timeout(&dialogue.session, &dialogue.said);
        dialogue.said.length = 0;
        greet(&dialogue, question->helo, question->speaks_tls);
        play_line(&dialogue, "MAIL FROM:<", question->sender);
        for (size_t i = 0; i < question->recipient_count; i++)
                play_line(&dialogue, "RCPT TO:<", question->recipients[i]);
        if (question->message != NULL) {
                play_line(&dialogue, "DATA", "");
                if (dialogue.session.state == SESSION_STATE_TEXT)
                        say_text(&dialogue, span_of(question->message, question->message_length));
        }
        session_end(&dialogue.session, SESSION_ENDED_BY_QUIT);
        return dialogue.is_taken;
}
