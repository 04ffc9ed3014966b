/* Lines for those who follow. Nothing here takes memory or waits. */
#include "core/smtp/follow/follow.h"

#include "core/smtp/internal.h"

#define TOLD_MAX      480 /* octets of what was said: even where half of it is escaped by six there is room */
#define TOLD_HARD_MAX 120 /* where all of it is */
#define HOST_MAX      (ADDRESS_TEXT_MAX + 6) /* "192.0.2.1 25" */

/* ---- lines --------------------------------------------------------------------------------------------- */

static void put_pair(struct text *line, const char *name, struct span value)
{
        text_put(line, SPAN(",\""));
        text_put_string(line, name);
        text_put(line, SPAN("\":"));
        text_put_json(line, value);
}

static void begin_line(struct text *line, const struct session *session, const char *what)
{
        const struct session_peer *peer = &session->peer;
        char octets[ADDRESS_TEXT_MAX];
        struct text client;

        text_over(&client, octets, sizeof octets);
        address_write(&client, &peer->client);
        text_put(line, SPAN("{\"ms\":"));
        text_put_number(line, session->host->now_ms - peer->accepted_ms);
        put_pair(line, "client", text_span(&client));
        text_put(line, SPAN(",\"port\":"));
        text_put_number(line, peer->client_port);
        put_pair(line, "what", span_from(what));
}

static bool end_line(const struct session *session, uint32_t followers, struct text *line, struct span text,
                     size_t most)
{
        put_pair(line, "text", span_of(text.at, text.length < most ? text.length : most));
        if (text.length > most)
                text_put(line, SPAN(",\"cut\":true"));
        text_put(line, SPAN("}\n"));
        if (!line->overflowed)
                session->host->follow.tell(session->host->follow.teller, followers, text_span(line));
        return !line->overflowed;
}

/* `line` has begun, and is told with `text`, or with a part of it that has room. */
static void tell_with(const struct session *session, uint32_t followers, struct text *line, struct span text)
{
        size_t begun = line->length;

        if (end_line(session, followers, line, text, TOLD_MAX))
                return;
        line->length = begun;
        line->overflowed = false;
        end_line(session, followers, line, text, TOLD_HARD_MAX);
}

static void tell(const struct session *session, uint32_t followers, const char *what, struct span text)
{
        char octets[FOLLOW_LINE_MAX];
        struct text line;

        text_over(&line, octets, sizeof octets);
        begin_line(&line, session, what);
        tell_with(session, followers, &line, text);
}

/* ---- who follows --------------------------------------------------------------------------------------- */

/* Those who begin to follow it now, when they have been marked. */
static uint32_t mark(struct session *session, enum follow_what what, struct span address)
{
        const struct follow *follow = &session->host->follow;
        uint32_t found = 0;

        for (uint32_t i = 0; i < FOLLOWERS_MAX; i++) {
                uint32_t bit = UINT32_C(1) << i;
                if ((follow->active & bit) == 0 || (session->followed & bit) != 0)
                        continue;
                if (what == FOLLOW_CLIENT
                        ? follow_filter_has_client(&follow->filters[i], &session->peer.client)
                        : follow_filter_has_address(&follow->filters[i], what, address))
                        found |= bit;
        }
        session->followed |= (uint8_t)found;
        return found;
}

void follow_client(struct session *session)
{
        uint32_t found = session->host->follow.active == 0 ? 0 : mark(session, FOLLOW_CLIENT, SPAN(""));
        const struct session_peer *peer = &session->peer;
        char octets[HOST_MAX];
        struct text server;

        if (found == 0)
                return;
        text_over(&server, octets, sizeof octets);
        address_write(&server, &peer->server);
        text_put_char(&server, ' ');
        text_put_number(&server, peer->server_port);
        tell(session, found, "connect", text_span(&server));
}

void follow_address(struct session *session, enum follow_what what, struct span address)
{
        uint32_t found = session->host->follow.active == 0 ? 0 : mark(session, what, address);

        if (found == 0)
                return;
        /* What was said before they came. */
        tell(session, found, "helo", session->helo);
        if (what == FOLLOW_RECIPIENT)
                tell(session, found, "sender", session->transaction->message.sender);
        tell(session, found, what == FOLLOW_SENDER ? "sender" : "recipient", address);
}

/* ---- what is said -------------------------------------------------------------------------------------- */

void follow_command(struct session *session, struct span line, const struct text *out)
{
        follow_replies(session, out);
        if (session->followed != 0)
                tell(session, session->followed, "command", line);
}

void follow_replies(struct session *session, const struct text *out)
{
        struct follow *follow = &session->host->follow;
        struct span rest = span_skip(text_span(out), follow->told);

        follow->told = out->length;
        if (session->followed == 0)
                return;
        while (rest.length > 0) {
                size_t end = span_find(rest, '\r');
                struct span line = span_of(rest.at, end < rest.length ? end : rest.length);
                tell(session, session->followed, "reply", line);
                rest = span_skip(rest, line.length + 2);
        }
}

void follow_sent(struct session *session, const struct text *out)
{
        struct follow *follow = &session->host->follow;

        if (session->followed != 0)
                follow_replies(session, out);
        follow->told = 0;
}

void follow_verdict(struct session *session, const struct verdict *verdict,
                    const struct check_setting *setting)
{
        enum check_mode mode = verdict->only_observes ? CHECK_MODE_OBSERVE : setting->mode;
        char octets[FOLLOW_LINE_MAX];
        struct text line;

        if (session->followed == 0)
                return;
        text_over(&line, octets, sizeof octets);
        begin_line(&line, session, "verdict");
        put_pair(&line, "check", span_from(check_infos[verdict->check].name));
        put_pair(&line, "result", span_from(verdict_result_names[verdict->result]));
        put_pair(&line, "mode", span_from(check_mode_name(mode)));
        tell_with(session, session->followed, &line, verdict->evidence);
}

void follow_note(struct session *session, const char *what, struct span more)
{
        if (session->followed != 0)
                tell(session, session->followed, what, more);
}
