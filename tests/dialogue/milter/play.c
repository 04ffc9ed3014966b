/* The directives of a script of a filter, and what they mean. */
#include "tests/dialogue/milter/play.h"

#include "conf/value/value.h"

#define LENGTH_OCTETS 4

/* ---- set-up -------------------------------------------------------------------------------------------- */

/* actions=N, body=N, or a patience. */
static void set_term(struct exchange *play, const struct step *step, struct span word)
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
                play->peer->terms.actions = (uint32_t)number;
        else if (is_number && span_equals(name, SPAN("body")))
                play->peer->body_max = number;
        else
                exchange_set_patience(play, step, names, MILTER_PATIENCES, name, word,
                                      play->peer->terms.patience_ms);
}

static void play_open(struct exchange *play, const struct step *step)
{
        if (play->peer->is_open)
                exchange_fail(play, step, "a connection is open");
        else
                milter_peer_begin(play->peer);
}

/* ---- the filter ---------------------------------------------------------------------------------------- */

/* X DATA */
static void play_frame(struct exchange *play, const struct step *step)
{
        size_t begin = play->flight.length;
        struct span rest = step->argument;

        text_put(&play->flight, span_of("\0\0\0\0", LENGTH_OCTETS));
        text_put(&play->flight, span_take_line(&rest, SPAN(" ")));
        if (!text_put_unescaped(&play->flight, rest) || play->flight.overflowed) {
                exchange_fail(play, step, "bad escape, or too long");
                return;
        }
        size_t length = play->flight.length - begin - LENGTH_OCTETS;
        for (unsigned i = 0; i < LENGTH_OCTETS; i++)
                play->flight.at[begin + i] = (char)(length >> (24 - 8 * i) & 0xff);
}

static void play_lost(struct exchange *play, const struct step *step)
{
        (void)step;
        milter_peer_tell(play->peer, milter_lost(&play->peer->milter));
}

static void play_time(struct exchange *play, const struct step *step)
{
        struct milter *milter = &play->peer->milter;
        uint64_t ms;

        if (!duration_parse(span_skip(step->argument, 1), &ms))
                exchange_fail(play, step, "expected a duration, as +5m");
        else if ((milter->now_ms += ms) >= milter->deadline_ms)
                milter_peer_tell(play->peer, milter_timeout(milter));
}

static void play_stuck(struct exchange *play, const struct step *step)
{
        (void)step;
        play->peer->is_stuck = true;
}

static void play_unstuck(struct exchange *play, const struct step *step)
{
        (void)step;
        play->peer->is_stuck = false;
        milter_peer_flush(play->peer);
}

/* ---- playing ------------------------------------------------------------------------------------------- */

static const struct directive directives[] = {
    {"F:", GATHERS, play_frame},         {"open", ASIDE, play_open},
    {"text", ASIDE, milter_play_text},   {"apply", ASIDE, milter_play_apply},
    {"macro", ASIDE, milter_play_macro}, {"lost", ACTS, play_lost},
    {"time", ACTS, play_time},           {"stuck", ACTS, play_stuck},
    {"unstuck", ACTS, play_unstuck},     {"connect", ACTS, milter_play_connect},
    {"helo", ACTS, milter_play_helo},    {"mail", ACTS, milter_play_mail},
    {"rcpt", ACTS, milter_play_rcpt},    {"data", ACTS, milter_play_data},
    {"give", ACTS, milter_play_give},    {"end", ACTS, milter_play_end},
    {"abort", ACTS, milter_play_abort},  {"quit", ACTS, milter_play_quit},
};

/* A frame, as "X DATA"; what is not a whole one, as it is. */
static struct span take_said(struct span *rest)
{
        static char octets[4 * PEER_KEPT_SIZE];
        struct span said = *rest, frame = span_skip(said, LENGTH_OCTETS);
        struct text line;
        size_t length = 0;

        for (unsigned i = 0; frame.length > 0 && i < LENGTH_OCTETS; i++)
                length = length << 8 | (unsigned char)said.at[i];
        if (length == 0 || length > frame.length) {
                *rest = SPAN("");
                return said;
        }
        text_over(&line, octets, sizeof octets);
        text_put_char(&line, frame.at[0]);
        if (length > 1)
                text_put_char(&line, ' ');
        milter_peer_put_escaped(&line, span_of(frame.at + 1, length - 1));
        *rest = span_skip(frame, length);
        return text_span(&line);
}

static void begin(struct exchange *play, enum cutting cutting, uint32_t seed)
{
        struct peer *peer = play->peer;

        milter_peer_init(peer, cutting, seed);
        play->said = &peer->said;
        play->events = &peer->events;
        play->is_open = &peer->is_open;
}

static struct peer peers[2];

static const struct exchange_kind kind = {
    .directives = directives,
    .directive_count = sizeof directives / sizeof directives[0],
    .peers = {&peers[0], &peers[1]},
    .begin = begin,
    .end = milter_peer_end,
    .flight = milter_peer_flight,
    .take_said = take_said,
    .set_term = set_term,
};

int main(int argc, char **argv)
{
        return exchange_run(&kind, argc, argv);
}
