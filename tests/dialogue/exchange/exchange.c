/* Playing a script, and the directives of all kinds. */
#include "tests/dialogue/exchange/exchange.h"

#include "conf/value/value.h"

#include <stdarg.h>

void exchange_fail(struct exchange *play, const struct step *step, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        script_fail(play->script, step, &play->failure, format, arguments);
        va_end(arguments);
}

static void fail_differs(struct exchange *play, const struct step *step, struct span expected,
                         struct span got)
{
        exchange_fail(play, step, "expected: %.*s, got: %.*s", (int)expected.length, expected.at,
                      (int)got.length, got.at);
}

/* ---- set-up -------------------------------------------------------------------------------------------- */

void exchange_set_patience(struct exchange *play, const struct step *step, const char *const *names,
                           size_t count, struct span name, struct span value, uint64_t *patience_ms)
{
        for (size_t i = 0; i < count; i++)
                if (span_equals(name, span_from(names[i])) && duration_parse(value, &patience_ms[i]))
                        return;
        exchange_fail(play, step, "no such term: %.*s", (int)name.length, name.at);
}

static void play_terms(struct exchange *play, const struct step *step)
{
        struct span rest = step->argument;

        while (rest.length > 0)
                play->kind->set_term(play, step, span_take_line(&rest, SPAN(" ")));
}

/* ---- the other side ------------------------------------------------------------------------------------ */

static void play_octets(struct exchange *play, const struct step *step)
{
        if (!text_put_unescaped(&play->flight, step->argument))
                exchange_fail(play, step, "bad escape");
}

static void play_repeat(struct exchange *play, const struct step *step)
{
        struct span rest = step->argument;
        uint64_t times;

        if (!span_number(span_take_line(&rest, SPAN(" ")), &times))
                exchange_fail(play, step, "expected a number");
        else
                while (times-- > 0 && !play->flight.overflowed)
                        text_put_unescaped(&play->flight, rest);
}

static void send_flight(struct exchange *play)
{
        if (play->flight.length > 0)
                play->kind->flight(play->peer, text_span(&play->flight));
        play->flight.length = 0;
}

/* ---- expectations -------------------------------------------------------------------------------------- */

static struct span unexpected_said(const struct exchange *play)
{
        return span_skip(text_span(play->said), play->said_read);
}

static struct span unexpected_events(const struct exchange *play)
{
        return span_skip(text_span(play->events), play->events_read);
}

/* `got` is what came next; nothing came, if it is empty. */
static void expect_next(struct exchange *play, const struct step *step, bool is_none, struct span got)
{
        if (span_equals(step->argument, SPAN("none"))) {
                if (!is_none)
                        fail_differs(play, step, SPAN("nothing"), got);
        } else if (!line_matches(got, step->argument)) {
                fail_differs(play, step, step->argument, got);
        }
}

static void play_said(struct exchange *play, const struct step *step)
{
        struct span rest = unexpected_said(play);
        bool is_none = rest.length == 0;

        expect_next(play, step, is_none, is_none ? rest : play->kind->take_said(&rest));
        play->said_read = play->said->length - rest.length;
}

static void play_event(struct exchange *play, const struct step *step)
{
        struct span rest = unexpected_events(play);
        bool is_none = rest.length == 0;

        expect_next(play, step, is_none, span_take_line(&rest, SPAN("\n")));
        play->events_read = play->events->length - rest.length;
}

static void demand_nothing_more(struct exchange *play, const struct step *step)
{
        struct span said = unexpected_said(play), events = unexpected_events(play);

        if (said.length > 0)
                fail_differs(play, step, SPAN("nothing said"), play->kind->take_said(&said));
        if (events.length > 0)
                fail_differs(play, step, SPAN("no event"), events);
}

/* ---- playing ------------------------------------------------------------------------------------------- */

static const struct directive directives[] = {
    {"B:", GATHERS, play_octets}, {"R:", GATHERS, play_repeat}, {"C:", EXPECTS, play_said},
    {"E:", EXPECTS, play_event},  {"terms", ASIDE, play_terms},
};

static const struct directive *find_directive(const struct directive *among, size_t count, struct span word)
{
        for (size_t i = 0; i < count; i++)
                if (span_equals(word, span_from(among[i].word)))
                        return &among[i];
        return NULL;
}

static void play_step(struct exchange *play, const struct step *step)
{
        const struct directive *directive =
            find_directive(directives, sizeof directives / sizeof directives[0], step->word);

        if (directive == NULL)
                directive = find_directive(play->kind->directives, play->kind->directive_count, step->word);
        if (directive == NULL) {
                exchange_fail(play, step, "not a directive");
                return;
        }
        if (directive->kind != GATHERS)
                send_flight(play);
        if (directive->kind != EXPECTS)
                demand_nothing_more(play, step);
        if ((directive->kind == GATHERS || directive->kind == ACTS) && !*play->is_open)
                exchange_fail(play, step, "the connection is closed");
        if (play->failure.length == 0)
                directive->play(play, step);
}

void exchange_play(struct exchange *play, const struct script *script, enum cutting cutting, uint32_t seed)
{
        const struct step outside = {.line = 0};

        play->script = script;
        play->said_read = play->events_read = 0;
        text_over(&play->flight, play->flight_octets, sizeof play->flight_octets);
        text_over(&play->failure, play->failure_octets, sizeof play->failure_octets);
        play->kind->begin(play, cutting, seed);
        for (size_t i = 0; i < script->count && play->failure.length == 0; i++)
                play_step(play, &script->steps[i]);
        send_flight(play);
        demand_nothing_more(play, &outside);
        if (play->said->overflowed || play->events->overflowed || play->flight.overflowed)
                exchange_fail(play, &outside, "too much was said");
}
