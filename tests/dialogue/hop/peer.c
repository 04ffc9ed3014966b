/* See peer.h. */
#include "tests/dialogue/hop/peer.h"

#include "core/base/expect.h"

static const char *const fates[] = {
    [FATE_DELIVERED] = "delivered", [FATE_REFUSED] = "refused", [FATE_DEFERRED] = "deferred",
    [FATE_BROKEN] = "broken",       [FATE_UNKNOWN] = "unknown", [FATE_ABANDONED] = "abandoned",
};

static const char *const endings[] = {
    [HOP_ENDED_BY_QUIT] = "quit",       [HOP_ENDED_BY_REFUSAL] = "refusal", [HOP_ENDED_BY_CLOSE] = "closed",
    [HOP_ENDED_BY_TIMEOUT] = "timeout", [HOP_ENDED_BY_FAULT] = "fault",     [HOP_ENDED_BY_TLS] = "tls",
    [HOP_ENDED_BY_US] = "us",
};

static void put_word(struct text *text, const char *word)
{
        text_put_char(text, ' ');
        text_put_string(text, word);
}

static void put_answer(struct text *text, const struct hop_answer *answer)
{
        put_word(text, answer->state == NULL ? "-" : answer->state);
        text_put_char(text, ' ');
        if (answer->code > 0) {
                text_put_number(text, answer->code);
                put_word(text, answer->enhanced);
        } else {
                text_put_char(text, '-');
        }
        if (answer->text[0] != '\0')
                put_word(text, answer->text);
}

static void put_event(struct peer *peer, enum hop_event event)
{
        static const char *const names[] = {
            [HOP_WAITS] = "waits",     [HOP_SECURE] = "secure",  [HOP_READY] = "ready",
            [HOP_SENDER] = "sender",   [HOP_RECIPIENT] = "rcpt", [HOP_GO_AHEAD] = "go-ahead",
            [HOP_SETTLED] = "settled", [HOP_OVER] = "over",      [HOP_CLOSE] = "close",
        };
        struct text *text = &peer->events;

        text_put_string(text, names[event]);
        if (event == HOP_RECIPIENT || event == HOP_SETTLED) {
                text_put_char(text, ' ');
                text_put_number(text, peer->hop.recipient);
        }
        if (event == HOP_SETTLED || event == HOP_OVER)
                put_word(text, fates[peer->hop.fate]);
        if (event == HOP_CLOSE)
                put_word(text, endings[peer->hop.ending]);
        if (event == HOP_SENDER || event == HOP_RECIPIENT || event == HOP_SETTLED || event == HOP_CLOSE)
                put_answer(text, &peer->hop.answer);
        text_put_char(text, '\n');
}

void peer_begin(struct peer *peer, enum cutting cutting, uint32_t seed)
{
        peer->cutting = cutting;
        peer->random = seed;
        peer->is_open = true;
        peer->is_stuck = false;
        text_over(&peer->out, peer->out_octets, sizeof peer->out_octets);
        text_over(&peer->unread, peer->unread_octets, sizeof peer->unread_octets);
        hop_begin(&peer->hop, &peer->terms, peer->hop.now_ms);
}

void peer_flush(struct peer *peer)
{
        if (peer->is_stuck)
                return;
        text_put(&peer->said, text_span(&peer->out));
        peer->out.length = 0;
        hop_sent(&peer->hop, 0);
}

/* In the cut modes with no more room than the contract grants. */
static struct text *room(struct peer *peer)
{
        peer->out.size =
            peer->cutting == CUT_WHOLE ? sizeof peer->out_octets : peer->out.length + HOP_OUT_ROOM;
        expect(peer->out.size <= sizeof peer->out_octets);
        return &peer->out;
}

static void note(struct peer *peer, enum hop_event event)
{
        put_event(peer, event);
        if (event == HOP_CLOSE)
                peer->is_open = false;
        if (peer->heed != NULL)
                peer->heed(peer, event);
}

void peer_tell(struct peer *peer, enum hop_event event)
{
        struct span nothing = {0};

        while (event != HOP_WAITS && peer->is_open) {
                note(peer, event);
                if (peer->is_open)
                        event = hop_input(&peer->hop, &nothing, room(peer));
        }
}

static void feed(struct peer *peer, struct span piece)
{
        struct span input;

        text_put(&peer->unread, piece);
        input = text_span(&peer->unread);
        do {
                enum hop_event event = hop_input(&peer->hop, &input, room(peer));
                if (event == HOP_WAITS)
                        break;
                note(peer, event);
        } while (peer->is_open);
        expect(input.length <= HOP_INPUT_MAX || !peer->is_open);
        memmove(peer->unread.at, input.at, input.length);
        peer->unread.length = input.length;
}

void peer_flight(struct peer *peer, struct span octets)
{
        while (octets.length > 0 && peer->is_open) {
                size_t length = cut_length(peer->cutting, &peer->random, octets.length);
                feed(peer, span_of(octets.at, length));
                octets = span_skip(octets, length);
        }
        peer_flush(peer);
}

void peer_text(struct peer *peer, struct span text)
{
        while (text.length > 0 && hop_is_texting(&peer->hop) && !peer->is_stuck) {
                struct span piece = span_of(text.at, cut_length(peer->cutting, &peer->random, text.length));
                size_t length = piece.length;
                hop_text(&peer->hop, &piece, room(peer));
                text = span_skip(text, length - piece.length);
                peer_flush(peer);
        }
        if (peer->is_stuck)
                hop_text(&peer->hop, &text, room(peer));
}
