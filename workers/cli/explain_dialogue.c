/* A session without a socket, for gatepost explain. */
#include "workers/cli/explain_dialogue.h"

#include "dns/pool/client.h"

#include <stdio.h>

#define ANSWER_WAIT_MS 20000

/* Gives the input to the session and prints what it answers. */
static void hear(struct session *session, struct cli_dns *dns, struct text *out, struct span *input)
{
        enum session_wish wish = session_input(session, input, out);
        while (wish == SESSION_PARK) {
                const struct dns_reply_message *message = cli_dns_wait(dns, ANSWER_WAIT_MS);
                if (message == NULL)
                        session->host->now_ms = session->deadline_ms;
                wish = message != NULL ? session_answer(session, &message->question, &message->answer, out)
                                       : session_timeout(session, out);
        }
        for (struct span rest = text_span(out); rest.length > 0;
             rest = span_skip(rest, span_find(rest, '\n') + 1))
                printf("S: %.*s\n", (int)span_find(rest, '\r'), rest.at);
        out->length = 0;
        if (wish != SESSION_STORE)
                return;
        printf("the message would be stored\n");
        session_stored(session, &(struct store_report){.outcome = STORE_FAILED}, out);
        out->length = 0;
}

static void play_line(struct session *session, struct cli_dns *dns, struct text *out, const char *verb,
                      const char *argument)
{
        char octets[1024];
        struct text line;

        if (session->state == SESSION_STATE_CLOSED)
                return;
        text_over(&line, octets, sizeof octets);
        text_put_string(&line, verb);
        text_put_string(&line, argument);
        if (verb[strlen(verb) - 1] == '<')
                text_put_char(&line, '>');
        printf("C: %.*s\n", (int)line.length, line.at);
        text_put_string(&line, "\r\n");
        struct span input = text_span(&line);
        hear(session, dns, out, &input);
}

/* Line by line, dots stuffed (RFC 5321 4.5.2). */
static void say_text(struct session *session, struct cli_dns *dns, struct text *out, struct span text)
{
        struct span end = SPAN("\r\n.\r\n");

        printf("C: (%zu octets of text)\n", text.length);
        while (text.length > 0) {
                size_t newline = span_find(text, '\n');
                struct span line = span_of(text.at, newline == SIZE_MAX ? text.length : newline + 1);
                struct span dot = SPAN(".");
                text = span_skip(text, line.length);
                if (text.length == 0 && newline != SIZE_MAX)
                        end = span_skip(end, 2);
                if (line.at[0] == '.')
                        hear(session, dns, out, &dot);
                hear(session, dns, out, &line);
        }
        hear(session, dns, out, &end);
}

void explain_dialogue(const struct question *question, const struct snapshot *snapshot,
                      struct session_host *host, struct cli_dns *dns)
{
        struct session_peer peer = {.client = question->client};
        char octets[2 * SESSION_OUT_ROOM];
        struct session session;
        struct text out;

        text_over(&out, octets, sizeof octets);
        session_begin(&session, host, snapshot, &peer, &out);
        if (session.state == SESSION_STATE_PAUSE)
                session_timeout(&session, &out);
        out.length = 0;
        play_line(&session, dns, &out, "EHLO ", question->helo);
        play_line(&session, dns, &out, "MAIL FROM:<", question->sender);
        for (size_t i = 0; i < question->recipient_count; i++)
                play_line(&session, dns, &out, "RCPT TO:<", question->recipients[i]);
        if (question->message != NULL) {
                play_line(&session, dns, &out, "DATA", "");
                if (session.state == SESSION_STATE_TEXT)
                        say_text(&session, dns, &out, span_of(question->message, question->message_length));
        }
        session_end(&session, SESSION_ENDED_BY_QUIT);
}
