/* Directives of what the caller does. */
#include "tests/dialogue/hop/play.h"

static void judge(struct exchange *play, enum hop_fit fit)
{
        if (fit != HOP_FITS)
                text_printf(&play->peer->events, "unfit %s\n", hop_fit_reply(fit));
        peer_flush(play->peer);
}

void hop_play_mail(struct exchange *play, const struct step *step)
{
        struct span rest = step->argument;
        struct hop_sender sender = {.address = span_take_line(&rest, SPAN(" "))};
        struct hop *hop = &play->peer->hop;

        if (span_equals(sender.address, SPAN("<>")))
                sender.address = SPAN("");
        while (rest.length > 0) {
                struct span word = span_take_line(&rest, SPAN(" "));
                if (span_equals(word, SPAN("8bit")))
                        sender.is_eight_bit = true;
                else if (span_equals(word, SPAN("smtputf8")))
                        sender.is_smtputf8 = true;
                else if (!span_number(word, &sender.size))
                        exchange_fail(play, step, "expected 8bit, smtputf8 or a size");
        }
        if (hop_takes_mail(hop))
                judge(play, hop_mail(hop, &sender, &play->peer->out));
        else
                exchange_fail(play, step, "it is not ready");
}

static bool can_say(struct exchange *play, const struct step *step)
{
        if (!hop_takes(&play->peer->hop))
                exchange_fail(play, step, "no command can be given now");
        return hop_takes(&play->peer->hop);
}

void hop_play_rcpt(struct exchange *play, const struct step *step)
{
        char octets[1024];
        struct text address;

        text_over(&address, octets, sizeof octets);
        text_put_unescaped(&address, step->argument);
        if (can_say(play, step))
                judge(play, hop_recipient(&play->peer->hop, text_span(&address), &play->peer->out));
}

void hop_play_data(struct exchange *play, const struct step *step)
{
        if (!can_say(play, step))
                return;
        hop_data(&play->peer->hop, &play->peer->out);
        peer_tell(play->peer, hop_input(&play->peer->hop, &(struct span){0}, &play->peer->out));
        peer_flush(play->peer);
}

void hop_play_text(struct exchange *play, const struct step *step)
{
        static char octets[1 << 16];
        struct text text;

        text_over(&text, octets, sizeof octets);
        if (!text_put_unescaped(&text, step->argument))
                exchange_fail(play, step, "bad escape");
        peer_text(play->peer, text_span(&text));
}

void hop_play_dot(struct exchange *play, const struct step *step)
{
        (void)step;
        if (!hop_dot(&play->peer->hop, &play->peer->out))
                text_put_string(&play->peer->events, "no dot\n");
        peer_flush(play->peer);
}

void hop_play_abandon(struct exchange *play, const struct step *step)
{
        (void)step;
        hop_abandon(&play->peer->hop);
        peer_tell(play->peer, hop_input(&play->peer->hop, &(struct span){0}, &play->peer->out));
        peer_flush(play->peer);
}

/* ADDRESS PORT PROTO [helo=...] [name=...] [ident=...] */
void hop_play_name(struct exchange *play, const struct step *step)
{
        struct span rest = step->argument;
        struct hop_client client = {0};
        uint64_t port = 0;
        char octets[1024];
        struct text helo;

        text_over(&helo, octets, sizeof octets);
        if (!address_parse(span_take_line(&rest, SPAN(" ")), &client.address) ||
            !span_number(span_take_line(&rest, SPAN(" ")), &port))
                exchange_fail(play, step, "expected an address and a port");
        client.port = (uint16_t)port;
        client.is_esmtp = span_equals(span_take_line(&rest, SPAN(" ")), SPAN("ESMTP"));
        while (rest.length > 0) {
                struct span value = span_take_line(&rest, SPAN(" ")), key = span_take_line(&value, SPAN("="));
                if (key.at[0] == 'h' && text_put_unescaped(&helo, value))
                        client.helo = text_span(&helo);
                else if (key.at[0] == 'n')
                        client.name = value;
                else
                        client.ident = value;
        }
        if (!hop_name_client(&play->peer->hop, &client, &play->peer->out))
                text_put_string(&play->peer->events, "not named\n");
        peer_flush(play->peer);
}

void hop_play_quit(struct exchange *play, const struct step *step)
{
        (void)step;
        hop_quit(&play->peer->hop, &play->peer->out);
        peer_flush(play->peer);
}
