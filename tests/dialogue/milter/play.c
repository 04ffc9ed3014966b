/* The directives of a script of a filter, and what they mean. */
#include "tests/dialogue/milter/play.h"

#include "conf/value/value.h"

#include <stdarg.h>
#include <stdio.h>

#define LENGTH_OCTETS 4

void milter_play_fail(struct milter_play *play, const struct step *step, const char *format, ...)
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

static void fail_differs(struct milter_play *play, const struct step *step, struct span expected,
                         struct span got)
{
        milter_play_fail(play, step, "expected: %.*s, got: %.*s", (int)expected.length, expected.at,
                         (int)got.length, got.at);
}

/* ---- set-up -------------------------------------------------------------------------------------------- */

/* actions=N, body=N, or a patience. */
static void set_term(struct milter_play *play, const struct step *step, struct span word)
{
        static const char *const names[] = {
#define PATIENCE(name, most_ms) #name,
#include "core/milter/patience.def"
#undef PATIENCE
        };
        struct span name = span_take_line(&word, SPAN("="));
        uint64_t number = 0;
        bool is_number = span_number(word, &number);

        if (is_number && span_equals(name, SPAN("actions")))
                play->peer.terms.actions = (uint32_t)number;
        else if (is_number && span_equals(name, SPAN("body")))
                play->peer.body_max = number;
        else {
                for (unsigned i = 0; i < MILTER_PATIENCES; i++)
                        if (span_equals(name, span_from(names[i])) &&
                            duration_parse(word, &play->peer.terms.patience_ms[i]))
                                return;
                milter_play_fail(play, step, "no such term: %.*s", (int)name.length, name.at);
        }
}

static void play_terms(struct milter_play *play, const struct step *step)
{
        struct span rest = step->argument;

        while (rest.length > 0)
                set_term(play, step, span_take_line(&rest, SPAN(" ")));
}

static void play_open(struct milter_play *play, const struct step *step)
{
        if (play->peer.is_open)
                milter_play_fail(play, step, "a connection is open");
        else
                milter_peer_begin(&play->peer);
}

/* ---- the filter ---------------------------------------------------------------------------------------- */

/* X DATA */
static void play_frame(struct milter_play *play, const struct step *step)
{
        size_t begin = play->flight.length;
        struct span rest = step->argument;

        text_put(&play->flight, span_of("\0\0\0\0", LENGTH_OCTETS));
        text_put(&play->flight, span_take_line(&rest, SPAN(" ")));
        if (!text_put_unescaped(&play->flight, rest) || play->flight.overflowed) {
                milter_play_fail(play, step, "bad escape, or too long");
                return;
        }
        size_t length = play->flight.length - begin - LENGTH_OCTETS;
        for (unsigned i = 0; i < LENGTH_OCTETS; i++)
                play->flight.at[begin + i] = (char)(length >> (24 - 8 * i) & 0xff);
}

static void play_octets(struct milter_play *play, const struct step *step)
{
        if (!text_put_unescaped(&play->flight, step->argument))
                milter_play_fail(play, step, "bad escape");
}

static void play_repeat(struct milter_play *play, const struct step *step)
{
        struct span rest = step->argument;
        uint64_t times;

        if (!span_number(span_take_line(&rest, SPAN(" ")), &times))
                milter_play_fail(play, step, "expected a number");
        else
                while (times-- > 0 && !play->flight.overflowed)
                        text_put_unescaped(&play->flight, rest);
}

static void send_flight(struct milter_play *play)
{
        if (play->flight.length > 0)
                milter_peer_flight(&play->peer, text_span(&play->flight));
        play->flight.length = 0;
}

static void play_lost(struct milter_play *play, const struct step *step)
{
        (void)step;
        milter_peer_tell(&play->peer, milter_lost(&play->peer.milter));
}

static void play_time(struct milter_play *play, const struct step *step)
{
        struct milter *milter = &play->peer.milter;
        uint64_t ms;

        if (!duration_parse(span_skip(step->argument, 1), &ms))
                milter_play_fail(play, step, "expected a duration, as +5m");
        else if ((milter->now_ms += ms) >= milter->deadline_ms)
                milter_peer_tell(&play->peer, milter_timeout(milter));
}

static void play_stuck(struct milter_play *play, const struct step *step)
{
        (void)step;
        play->peer.is_stuck = true;
}

static void play_unstuck(struct milter_play *play, const struct step *step)
{
        (void)step;
        play->peer.is_stuck = false;
        milter_peer_flush(&play->peer);
}

/* ---- expectations -------------------------------------------------------------------------------------- */

/* The next frame of ours, as "X DATA"; empty: there is none. */
static struct span take_said(struct milter_play *play, char *octets, size_t room)
{
        struct span rest = span_skip(text_span(&play->peer.said), play->said_read);
        struct text line;
        size_t length = 0;

        text_over(&line, octets, room);
        if (rest.length <= LENGTH_OCTETS)
                return text_span(&line);
        for (unsigned i = 0; i < LENGTH_OCTETS; i++)
                length = length << 8 | (unsigned char)rest.at[i];
        text_put_char(&line, rest.at[LENGTH_OCTETS]);
        if (length > 1)
                text_put_char(&line, ' ');
        milter_peer_put_escaped(&line, span_of(rest.at + LENGTH_OCTETS + 1, length - 1));
        play->said_read += LENGTH_OCTETS + length;
        return text_span(&line);
}

static struct span take_event(struct milter_play *play)
{
        struct span rest = span_skip(text_span(&play->peer.events), play->events_read);
        struct span line = span_take_line(&rest, SPAN("\n"));

        play->events_read = play->peer.events.length - rest.length;
        return line;
}

static void match(struct milter_play *play, const struct step *step, struct span got)
{
        bool is_none = span_equals(step->argument, SPAN("none"));

        if (is_none ? got.length > 0 : !line_matches(got, step->argument))
                fail_differs(play, step, step->argument, got);
}

static void play_said(struct milter_play *play, const struct step *step)
{
        static char octets[4 * PEER_KEPT_SIZE];
        match(play, step, take_said(play, octets, sizeof octets));
}

static void play_event(struct milter_play *play, const struct step *step)
{
        match(play, step, take_event(play));
}

/* ---- playing ------------------------------------------------------------------------------------------- */

static const struct directive {
        const char *word;
        enum { GATHERS, ACTS, ASIDE, EXPECTS } kind; /* ASIDE: whether a connection is open or not */
        void (*play)(struct milter_play *play, const struct step *step);
} directives[] = {
    {"F:", GATHERS, play_frame},
    {"B:", GATHERS, play_octets},
    {"R:", GATHERS, play_repeat},
    {"terms", ASIDE, play_terms},
    {"open", ASIDE, play_open},
    {"text", ASIDE, milter_play_text},
    {"apply", ASIDE, milter_play_apply},
    {"macro", ASIDE, milter_play_macro},
    {"lost", ACTS, play_lost},
    {"time", ACTS, play_time},
    {"stuck", ACTS, play_stuck},
    {"unstuck", ACTS, play_unstuck},
    {"connect", ACTS, milter_play_connect},
    {"helo", ACTS, milter_play_helo},
    {"mail", ACTS, milter_play_mail},
    {"rcpt", ACTS, milter_play_rcpt},
    {"data", ACTS, milter_play_data},
    {"give", ACTS, milter_play_give},
    {"end", ACTS, milter_play_end},
    {"abort", ACTS, milter_play_abort},
    {"quit", ACTS, milter_play_quit},
    {"stop", ACTS, milter_play_stop},
    {"C:", EXPECTS, play_said},
    {"E:", EXPECTS, play_event},
};

static const struct directive *find_directive(struct span word)
{
        for (size_t i = 0; i < sizeof directives / sizeof directives[0]; i++)
                if (span_equals(word, span_from(directives[i].word)))
                        return &directives[i];
        return NULL;
}

static void demand_nothing_more(struct milter_play *play, const struct step *step)
{
        char octets[512];
        struct span said = take_said(play, octets, sizeof octets), event = take_event(play);

        if (said.length > 0)
                fail_differs(play, step, SPAN("nothing said"), said);
        if (event.length > 0)
                fail_differs(play, step, SPAN("no event"), event);
}

static void play_step(struct milter_play *play, const struct step *step)
{
        const struct directive *directive = find_directive(step->word);

        if (directive == NULL) {
                milter_play_fail(play, step, "not a directive");
                return;
        }
        if (directive->kind != GATHERS)
                send_flight(play);
        if (directive->kind != EXPECTS)
                demand_nothing_more(play, step);
        if ((directive->kind == GATHERS || directive->kind == ACTS) && !play->peer.is_open)
                milter_play_fail(play, step, "the connection is closed");
        if (play->failure.length == 0)
                directive->play(play, step);
}

void milter_play(struct milter_play *play, const struct script *script, enum cutting cutting, uint32_t seed)
{
        const struct step outside = {.line = 0};
        struct peer *peer = &play->peer;

        play->script = script;
        play->said_read = play->events_read = play->macro_count = 0;
        text_over(&play->flight, play->flight_octets, sizeof play->flight_octets);
        text_over(&play->failure, play->failure_octets, sizeof play->failure_octets);
        milter_peer_init(peer, cutting, seed);
        for (size_t i = 0; i < script->count && play->failure.length == 0; i++)
                play_step(play, &script->steps[i]);
        send_flight(play);
        demand_nothing_more(play, &outside);
        if (peer->said.overflowed || peer->events.overflowed || play->flight.overflowed)
                milter_play_fail(play, &outside, "too much was said");
}
