/* Directives of what the caller does. */
#include "tests/dialogue/milter/play.h"

/* What a step returned; then the rest as always. */
static void tell(struct exchange *play, enum milter_event event)
{
        milter_peer_tell(play->peer, event);
        milter_peer_tell(play->peer, milter_input(&play->peer->milter, &(struct span){0}));
        milter_peer_flush(play->peer);
        play->peer->macro_count = 0;
}

static struct milter_macros macros(const struct exchange *play)
{
        return (struct milter_macros){play->peer->macros, play->peer->macro_count};
}

static bool takes_step(struct exchange *play, const struct step *step)
{
        bool takes = milter_takes_step(&play->peer->milter);

        if (!takes)
                exchange_fail(play, step, "no step can be given now");
        play->peer->out.size = sizeof play->peer->out_octets;
        return takes;
}

/* NAME VALUE */
void milter_play_macro(struct exchange *play, const struct step *step)
{
        struct span value = step->argument, name = span_take_line(&value, SPAN(" "));

        if (play->peer->macro_count == MACROS_MAX) {
                exchange_fail(play, step, "too many macros");
                return;
        }
        char *copy = play->peer->macro_names[play->peer->macro_count];
        span_copy_cut(name, copy, sizeof play->peer->macro_names[0]);
        play->peer->macros[play->peer->macro_count++] = (struct milter_macro){copy, value};
}

/* HOST ADDRESS PORT */
void milter_play_connect(struct exchange *play, const struct step *step)
{
        struct span rest = step->argument, host = span_take_line(&rest, SPAN(" "));
        struct address address;
        uint64_t port;

        if (!address_parse(span_take_line(&rest, SPAN(" ")), &address) || !span_number(rest, &port))
                exchange_fail(play, step, "expected a host, an address and a port");
        else if (takes_step(play, step))
                tell(play, milter_connect(&play->peer->milter, macros(play), host, &address, (uint16_t)port,
                                          &play->peer->out));
}

void milter_play_helo(struct exchange *play, const struct step *step)
{
        if (takes_step(play, step))
                tell(play, milter_helo(&play->peer->milter, macros(play), step->argument, &play->peer->out));
}

/* ADDRESS PARAMETER... */
void milter_play_mail(struct exchange *play, const struct step *step)
{
        struct span rest = step->argument, address = span_take_line(&rest, SPAN(" "));

        if (span_equals(address, SPAN("<>")))
                address = SPAN("");
        if (takes_step(play, step))
                tell(play, milter_mail(&play->peer->milter, macros(play), address, rest, &play->peer->out));
}

void milter_play_rcpt(struct exchange *play, const struct step *step)
{
        struct span rest = step->argument, address = span_take_line(&rest, SPAN(" "));

        if (takes_step(play, step))
                tell(play,
                     milter_recipient(&play->peer->milter, macros(play), address, rest, &play->peer->out));
}

void milter_play_data(struct exchange *play, const struct step *step)
{
        if (takes_step(play, step))
                tell(play, milter_data(&play->peer->milter, macros(play), &play->peer->out));
}

/* OWN TEXT: the first OWN lines are fields of ours. */
void milter_play_text(struct exchange *play, const struct step *step)
{
        static char octets[1 << 18];
        struct span rest = step->argument;
        struct text text;
        uint64_t lines;
        size_t own = 0;

        text_over(&text, octets, sizeof octets);
        if (!span_number(span_take_line(&rest, SPAN(" ")), &lines) || !text_put_unescaped(&text, rest)) {
                exchange_fail(play, step, "expected a number of lines, and a text");
                return;
        }
        while (lines-- > 0 && own < text.length)
                own += span_find(span_skip(text_span(&text), own), '\n') + 1;
        if (!milter_peer_set_text(play->peer, text_span(&text), own))
                exchange_fail(play, step, "no memory");
}

void milter_play_give(struct exchange *play, const struct step *step)
{
        if (takes_step(play, step))
                milter_peer_give(play->peer);
}

void milter_play_end(struct exchange *play, const struct step *step)
{
        if (takes_step(play, step))
                tell(play, milter_end(&play->peer->milter, macros(play), milter_peer_begin_edits(play->peer),
                                      &play->peer->out));
}

void milter_play_abort(struct exchange *play, const struct step *step)
{
        (void)step;
        milter_abort(&play->peer->milter, &play->peer->out);
        play->peer->is_giving = false;
        tell(play, MILTER_WAITS);
}

void milter_play_quit(struct exchange *play, const struct step *step)
{
        (void)step;
        milter_quit(&play->peer->milter, &play->peer->out);
        tell(play, MILTER_WAITS);
}

void milter_play_apply(struct exchange *play, const struct step *step)
{
        (void)step;
        milter_peer_apply(play->peer);
}
