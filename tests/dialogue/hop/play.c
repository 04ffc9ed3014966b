/* The directives of a script of a next hop, and what they mean. */
#include "tests/dialogue/hop/play.h"

#include "conf/value/value.h"

/* ---- set-up -------------------------------------------------------------------------------------------- */

static void set_patience(struct exchange *play, const struct step *step, struct span name, struct span value)
{
        static const char *const names[] = {
#define PATIENCE(name, most_ms) #name,
#include "core/client/patience.def"
#undef PATIENCE
        };
        exchange_set_patience(play, step, names, HOP_PATIENCES, name, value, play->peer->terms.patience_ms);
}

static void set_term(struct exchange *play, const struct step *step, struct span word)
{
        static const struct {
                const char *word;
                enum hop_starttls starttls;
                enum hop_naming naming;
        } words[] = {{"starttls=may", HOP_STARTTLS_MAY, HOP_NAMES_NOBODY},
                     {"starttls=must", HOP_STARTTLS_MUST, HOP_NAMES_NOBODY},
                     {"xclient", HOP_STARTTLS_NONE, HOP_NAMES_BY_XCLIENT},
                     {"xforward", HOP_STARTTLS_NONE, HOP_NAMES_BY_XFORWARD}};
        struct hop_terms *terms = &play->peer->terms;
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

/* ---- the hop ------------------------------------------------------------------------------------------- */

static void play_connect(struct exchange *play, const struct step *step)
{
        if (play->peer->is_open)
                exchange_fail(play, step, "a connection is open");
        else
                peer_begin(play->peer, play->peer->cutting, play->peer->random);
}

static void play_line(struct exchange *play, const struct step *step)
{
        text_put(&play->flight, step->argument);
        text_put_string(&play->flight, "\r\n");
}

static void play_lost(struct exchange *play, const struct step *step)
{
        (void)step;
        peer_tell(play->peer, hop_lost(&play->peer->hop, &play->peer->out));
}

static void play_time(struct exchange *play, const struct step *step)
{
        struct hop *hop = &play->peer->hop;
        uint64_t ms;

        if (!duration_parse(span_skip(step->argument, 1), &ms))
                exchange_fail(play, step, "expected a duration, as +5m");
        else if ((hop->now_ms += ms) >= hop->deadline_ms)
                peer_tell(play->peer, hop_timeout(hop, &play->peer->out));
}

static void play_secured(struct exchange *play, const struct step *step)
{
        (void)step;
        peer_tell(play->peer, hop_secured(&play->peer->hop, &play->peer->out));
        peer_flush(play->peer);
}

static void play_unsecured(struct exchange *play, const struct step *step)
{
        (void)step;
        peer_tell(play->peer, hop_handshake_failed(&play->peer->hop, "no shared cipher", &play->peer->out));
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
        peer_flush(play->peer);
}

/* ---- playing ------------------------------------------------------------------------------------------- */

static const struct directive directives[] = {
    {"H:", GATHERS, play_line},    {"connect", ASIDE, play_connect},    {"lost", ACTS, play_lost},
    {"time", ACTS, play_time},     {"secured", ACTS, play_secured},     {"unsecured", ACTS, play_unsecured},
    {"stuck", ACTS, play_stuck},   {"unstuck", ACTS, play_unstuck},     {"mail", ACTS, hop_play_mail},
    {"rcpt", ACTS, hop_play_rcpt}, {"data", ACTS, hop_play_data},       {"text", ACTS, hop_play_text},
    {"dot", ACTS, hop_play_dot},   {"abandon", ACTS, hop_play_abandon}, {"name", ACTS, hop_play_name},
    {"quit", ACTS, hop_play_quit},
};

static struct span take_said(struct span *rest)
{
        return span_take_line(rest, SPAN("\r\n"));
}

static void begin(struct exchange *play, enum cutting cutting, uint32_t seed)
{
        struct peer *peer = play->peer;

        *peer = (struct peer){.cutting = cutting, .random = seed};
        text_over(&peer->said, peer->said_octets, sizeof peer->said_octets);
        text_over(&peer->events, peer->event_octets, sizeof peer->event_octets);
        peer->terms.hostname = "mx.isp.example";
        memcpy(peer->terms.patience_ms, hop_patience_most_ms, sizeof hop_patience_most_ms);
        peer->hop.now_ms = 1000;
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
    .flight = peer_flight,
    .take_said = take_said,
    .set_term = set_term,
};

int main(int argc, char **argv)
{
        return exchange_run(&kind, argc, argv);
}
