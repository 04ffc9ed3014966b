/* The directives of a script of a next hop, and what they mean. */
#include "tests/dialogue/hop/play.h"

#include "conf/value/value.h"

#include <stdarg.h>
#include <stdio.h>

void hop_play_fail(struct hop_play *play, const struct step *step, const char *format, ...)
{
        char message[2048];
        va_list arguments;

        if (play->failure.length > 0)
                return;
        va_start(arguments, format);
        vsnprintf(message, sizeof message, format, arguments);
        va_end(arguments);
        text_printf(&play->failure, "%s:%u: ", play->script->path, step->line);
        text_put_printable(&play->failure, span_from(message), true);
}

static void fail_differs(struct hop_play *play, const struct step *step, struct span expected,
                         struct span got)
{
        hop_play_fail(play, step, "expected: %.*s, got: %.*s", (int)expected.length, expected.at,
                      (int)got.length, got.at);
}

static struct span unexpected_said(const struct hop_play *play)
{
        return span_skip(text_span(&play->peer.said), play->said_read);
}

static struct span unexpected_events(const struct hop_play *play)
{
        return span_skip(text_span(&play->peer.events), play->events_read);
}

/* ---- set-up -------------------------------------------------------------------------------------------- */

static void set_patience(struct hop_play *play, const struct step *step, struct span name, struct span value)
{
        static const char *const names[] = {
#define PATIENCE(name, most_ms) #name,
#include "core/client/patience.def"
#undef PATIENCE
        };
        for (unsigned i = 0; i < HOP_PATIENCES; i++)
                if (span_equals(name, span_from(names[i])) &&
                    duration_parse(value, &play->peer.terms.patience_ms[i]))
                        return;
        hop_play_fail(play, step, "no such term: %.*s", (int)name.length, name.at);
}

static void set_term(struct hop_play *play, const struct step *step, struct span word)
{
        static const struct {
                const char *word;
                enum hop_starttls starttls;
                enum hop_naming naming;
        } words[] = {{"starttls=may", HOP_STARTTLS_MAY, HOP_NAMES_NOBODY},
                     {"starttls=must", HOP_STARTTLS_MUST, HOP_NAMES_NOBODY},
                     {"xclient", HOP_STARTTLS_NONE, HOP_NAMES_BY_XCLIENT},
                     {"xforward", HOP_STARTTLS_NONE, HOP_NAMES_BY_XFORWARD}};
        struct hop_terms *terms = &play->peer.terms;
        uint64_t number;

        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
                if (span_equals(word, span_from(words[i].word))) {
                        terms->starttls = words[i].starttls == 0 ? terms->starttls : words[i].starttls;
                        terms->naming = words[i].naming == 0 ? terms->naming : words[i].naming;
                        return;
                }
        struct span name = span_take_line(&word, SPAN("="));
        if (span_equals(name, SPAN("lmtp")) || span_equals(name, SPAN("smtp")))
                terms->protocol = name.at[0] == 'l' ? HOP_LMTP : HOP_SMTP;
        else if (span_equals(name, SPAN("8bit")))
                terms->sends_eight_bit = true;
        else if (span_equals(name, SPAN("transactions")) && span_number(word, &number))
                terms->transactions_max = (uint32_t)number;
        else
                set_patience(play, step, name, word);
}

static void play_terms(struct hop_play *play, const struct step *step)
{
        struct span rest = step->argument;

        while (rest.length > 0)
                set_term(play, step, span_take_line(&rest, SPAN(" ")));
}

/* ---- the hop ------------------------------------------------------------------------------------------- */

static void play_connect(struct hop_play *play, const struct step *step)
{
        if (play->peer.is_open)
                hop_play_fail(play, step, "a connection is open");
        else
                peer_begin(&play->peer, play->peer.cutting, play->peer.random);
}

static void play_line(struct hop_play *play, const struct step *step)
{
        text_put(&play->flight, step->argument);
        text_put_string(&play->flight, "\r\n");
}

static void play_octets(struct hop_play *play, const struct step *step)
{
        if (!text_put_unescaped(&play->flight, step->argument))
                hop_play_fail(play, step, "bad escape");
}

static void play_repeat(struct hop_play *play, const struct step *step)
{
        struct span rest = step->argument;
        uint64_t times;

        if (!span_number(span_take_line(&rest, SPAN(" ")), &times))
                hop_play_fail(play, step, "expected a number");
        else
                while (times-- > 0 && !play->flight.overflowed)
                        text_put_unescaped(&play->flight, rest);
}

static void send_flight(struct hop_play *play)
{
        if (play->flight.length > 0)
                peer_flight(&play->peer, text_span(&play->flight));
        play->flight.length = 0;
}

static void play_lost(struct hop_play *play, const struct step *step)
{
        (void)step;
        peer_tell(&play->peer, hop_lost(&play->peer.hop, &play->peer.out));
}

static void play_time(struct hop_play *play, const struct step *step)
{
        struct hop *hop = &play->peer.hop;
        uint64_t ms;

        if (!duration_parse(span_skip(step->argument, 1), &ms))
                hop_play_fail(play, step, "expected a duration, as +5m");
        else if ((hop->now_ms += ms) >= hop->deadline_ms)
                peer_tell(&play->peer, hop_timeout(hop, &play->peer.out));
}

static void play_secured(struct hop_play *play, const struct step *step)
{
        (void)step;
        peer_tell(&play->peer, hop_secured(&play->peer.hop, &play->peer.out));
        peer_flush(&play->peer);
}

static void play_unsecured(struct hop_play *play, const struct step *step)
{
        (void)step;
        peer_tell(&play->peer, hop_handshake_failed(&play->peer.hop, "no shared cipher", &play->peer.out));
}

static void play_stuck(struct hop_play *play, const struct step *step)
{
        (void)step;
        play->peer.is_stuck = true;
}

static void play_unstuck(struct hop_play *play, const struct step *step)
{
        (void)step;
        play->peer.is_stuck = false;
        peer_flush(&play->peer);
}

/* ---- expectations -------------------------------------------------------------------------------------- */

static void expect_line(struct hop_play *play, const struct step *step, const struct text *all, size_t *read,
                        struct span end)
{
        struct span rest = span_skip(text_span(all), *read);

        if (span_equals(step->argument, SPAN("none"))) {
                if (rest.length > 0)
                        fail_differs(play, step, SPAN("nothing"), rest);
                return;
        }
        struct span line = span_take_line(&rest, end);
        if (!line_matches(line, step->argument))
                fail_differs(play, step, step->argument, line);
        *read = all->length - rest.length;
}

static void play_said(struct hop_play *play, const struct step *step)
{
        expect_line(play, step, &play->peer.said, &play->said_read, SPAN("\r\n"));
}

static void play_event(struct hop_play *play, const struct step *step)
{
        expect_line(play, step, &play->peer.events, &play->events_read, SPAN("\n"));
}

/* ---- playing ------------------------------------------------------------------------------------------- */

static const struct directive {
        const char *word;
        enum { GATHERS, ACTS, ASIDE, EXPECTS } kind; /* ASIDE: whether a connection is open or not */
        void (*play)(struct hop_play *play, const struct step *step);
} directives[] = {
    {"H:", GATHERS, play_line},      {"B:", GATHERS, play_octets},        {"R:", GATHERS, play_repeat},
    {"terms", ASIDE, play_terms},    {"connect", ASIDE, play_connect},    {"lost", ACTS, play_lost},
    {"time", ACTS, play_time},       {"secured", ACTS, play_secured},     {"unsecured", ACTS, play_unsecured},
    {"stuck", ACTS, play_stuck},     {"unstuck", ACTS, play_unstuck},     {"mail", ACTS, hop_play_mail},
    {"rcpt", ACTS, hop_play_rcpt},   {"data", ACTS, hop_play_data},       {"text", ACTS, hop_play_text},
    {"dot", ACTS, hop_play_dot},     {"abandon", ACTS, hop_play_abandon}, {"name", ACTS, hop_play_name},
    {"probe", ACTS, hop_play_probe}, {"quit", ACTS, hop_play_quit},       {"stop", ACTS, hop_play_stop},
    {"C:", EXPECTS, play_said},      {"E:", EXPECTS, play_event},
};

static const struct directive *find_directive(struct span word)
{
        for (size_t i = 0; i < sizeof directives / sizeof directives[0]; i++)
                if (span_equals(word, span_from(directives[i].word)))
                        return &directives[i];
        return NULL;
}

static void demand_nothing_more(struct hop_play *play, const struct step *step)
{
        if (unexpected_said(play).length > 0)
                fail_differs(play, step, SPAN("nothing said"), unexpected_said(play));
        if (unexpected_events(play).length > 0)
                fail_differs(play, step, SPAN("no event"), unexpected_events(play));
}

static void play_step(struct hop_play *play, const struct step *step)
{
        const struct directive *directive = find_directive(step->word);

        if (directive == NULL) {
                hop_play_fail(play, step, "not a directive");
                return;
        }
        if (directive->kind != GATHERS)
                send_flight(play);
        if (directive->kind != EXPECTS)
                demand_nothing_more(play, step);
        if ((directive->kind == GATHERS || directive->kind == ACTS) && !play->peer.is_open)
                hop_play_fail(play, step, "the connection is closed");
        if (play->failure.length == 0)
                directive->play(play, step);
}

void hop_play(struct hop_play *play, const struct script *script, enum cutting cutting, uint32_t seed)
{
        const struct step outside = {.line = 0};
        struct peer *peer = &play->peer;

        *play = (struct hop_play){.script = script, .peer = {.cutting = cutting, .random = seed}};
        text_over(&play->flight, play->flight_octets, sizeof play->flight_octets);
        text_over(&play->failure, play->failure_octets, sizeof play->failure_octets);
        text_over(&peer->said, peer->said_octets, sizeof peer->said_octets);
        text_over(&peer->events, peer->event_octets, sizeof peer->event_octets);
        peer->terms.hostname = "mx.isp.example";
        memcpy(peer->terms.patience_ms, hop_patience_most_ms, sizeof hop_patience_most_ms);
        peer->hop.now_ms = 1000;
        for (size_t i = 0; i < script->count && play->failure.length == 0; i++)
                play_step(play, &script->steps[i]);
        send_flight(play);
        demand_nothing_more(play, &outside);
        if (peer->said.overflowed || peer->events.overflowed || play->flight.overflowed)
                hop_play_fail(play, &outside, "too much was said");
}
