/* Fuzzes the dialogue with a next hop: what a hostile one may say, and what a caller may do meanwhile. The first octet
 * chooses the terms, the second one the mails; of the rest some controls are what happens, see `happen`, and the others
 * are said by the hop. However they are cut, what we say and what comes of it is the same; each recipient has one fate;
 * and none is delivered unless the hop has said 2xx after our dot. */
#include "core/base/expect.h"
#include "tests/dialogue/hop/peer.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length);

#define INPUT_MAX 20000

struct play {
        struct peer peer; /* first */
        uint8_t wishes;
        uint32_t given;      /* recipients, of this transaction */
        uint32_t fates;      /* bits, of recipients that have one */
        uint32_t accepted;   /* bits, at RCPT */
        unsigned good_lines; /* last lines of 2xx since the dot was sent */
        unsigned dots;       /* that may still be said */
        bool may_say_lone_dot;
        size_t said_checked, line_begin;
        bool is_under_way, has_named, is_text_given;
        bool may_begin; /* another mail */
        bool dot_is_given, dot_is_sent;
        char line[HOP_LINE_MAX]; /* of the hop, as far as it matters: its front */
        size_t line_length;
};

static struct play whole, cut;

/* What we say are lines that end in CRLF, with neither of them elsewhere; and of those that are a lone dot there are no
 * more than were meant to be. */
static void check_said(struct play *play)
{
        struct span said = text_span(&play->peer.said);

        for (; play->said_checked + 1 < said.length; play->said_checked++) {
                const char *at = said.at + play->said_checked;
                expect((at[0] == '\r') == (at[1] == '\n'));
                if (at[1] != '\n')
                        continue;
                size_t end = play->said_checked, begin = play->line_begin;
                play->line_begin = end + 2;
                if (end - begin != 1 || said.at[begin] != '.')
                        continue;
                expect(play->dots > 0 || play->may_say_lone_dot);
                play->may_say_lone_dot = false;
                play->dots -= play->dots > 0;
        }
}

/* ---- the mails of the caller --------------------------------------------------------------------------- */

static uint32_t recipients_wanted(const struct play *play)
{
        return 1 + (play->wishes & 3);
}

static bool is_eager(const struct play *play)
{
        return (play->wishes & 4) != 0;
}

static bool begin_mail(struct play *play)
{
        struct peer *peer = &play->peer;
        struct hop_sender sender = {.address = SPAN("alice@far.example"), .size = 1000};
        struct hop_client client = {.port = 25, .helo = SPAN("a+b\r\nDATA")};

        sender.is_eight_bit = (play->wishes & 8) != 0;
        sender.is_smtputf8 = (play->wishes & 16) != 0;
        check_said(play);
        if (!play->has_named && hop_is_ready(&peer->hop) &&
            hop_name_client(&peer->hop, &client, &peer->out)) {
                play->has_named = true;
                return true;
        }
        if (!hop_takes_mail(&peer->hop) || hop_mail(&peer->hop, &sender, &peer->out) != HOP_FITS)
                return false;
        play->given = play->fates = play->accepted = 0;
        play->is_under_way = true;
        play->has_named = play->dot_is_given = play->dot_is_sent = play->is_text_given = false;
        play->may_say_lone_dot = false;
        play->may_begin = (play->wishes & 64) == 0;
        return true;
}

static bool say_next(struct play *play)
{
        struct hop *hop = &play->peer.hop;

        if (hop_is_texting(hop) && !play->is_text_given) {
                peer_text(&play->peer, SPAN("a: b\r\n\r\n.\r\n\n.\n\r.\r\r\n.\r\n..x\r\n.\n"));
                play->is_text_given = true;
                return (play->wishes & 32) != 0; /* else the dot follows in another turn */
        }
        if (hop_is_texting(hop)) {
                play->dot_is_given = hop_dot(hop, &play->peer.out);
                play->dots += play->dot_is_given;
                return play->dot_is_given;
        }
        if (!hop_takes(hop))
                return !play->is_under_way && play->may_begin && begin_mail(play);
        if (play->given < recipients_wanted(play)) {
                play->given += hop_recipient(hop, SPAN("bob@isp.example"), &play->peer.out) == HOP_FITS;
                return true;
        }
        if (!is_eager(play) && (play->accepted | play->fates) != (1u << play->given) - 1)
                return false;
        hop_data(hop, &play->peer.out);
        return true;
}

/* ---- what must hold ------------------------------------------------------------------------------------ */

static void check_settled(struct play *play)
{
        const struct hop *hop = &play->peer.hop;
        uint32_t bit = 1u << hop->recipient;

        expect(hop->recipient < play->given && (play->fates & bit) == 0);
        play->fates |= bit;
        if (hop->fate != FATE_DELIVERED)
                return;
        expect((play->accepted & bit) != 0 && play->dot_is_sent && play->good_lines > 0);
        expect(hop->answer.code / 100 == 2 && strcmp(hop->answer.state, "DOT") == 0);
        if (hop->terms->protocol == HOP_LMTP)
                play->good_lines--; /* a line for each */
}

static void heed(struct peer *peer, enum hop_event event)
{
        struct play *play = (struct play *)peer;

        if (event == HOP_RECIPIENT)
                play->accepted |= 1u << peer->hop.recipient;
        if (event == HOP_SETTLED)
                check_settled(play);
        if (event == HOP_OVER) {
                expect(play->is_under_way && play->fates == (1u << play->given) - 1);
                play->is_under_way = false;
                play->may_say_lone_dot = play->accepted == 0 && peer->terms.protocol == HOP_SMTP;
        }
        expect(event != HOP_CLOSE || !play->is_under_way);
        expect(event != HOP_GO_AHEAD || (play->accepted & ~play->fates) != 0);
}

static void check_deadline(const struct play *play)
{
        static const char *const patient[] = {"REST", "OPEN", "TEXT", "CLOSED"};
        const struct hop *hop = &play->peer.hop;
        bool is_patient = false;

        for (size_t i = 0; i < sizeof patient / sizeof patient[0]; i++)
                is_patient = is_patient || strcmp(hop_state_name(hop), patient[i]) == 0;
        expect(is_patient || hop->deadline_ms != UINT64_MAX);
        expect(!play->peer.is_open || !play->is_under_way || hop->deadline_ms != UINT64_MAX);
}

/* A whole line, and the last one of its reply. */
static void note_lines(struct play *play, struct span octets)
{
        for (size_t i = 0; i < octets.length; i++) {
                if (play->line_length < sizeof play->line)
                        play->line[play->line_length++] = octets.at[i];
                if (octets.at[i] != '\n')
                        continue;
                bool is_last = play->line_length < 4 || play->line[3] != '-';
                play->good_lines += play->line[0] == '2' && is_last;
                play->line_length = 0;
        }
}

/* ---- what happens -------------------------------------------------------------------------------------- */

static void settle(struct play *play)
{
        struct peer *peer = &play->peer;
        bool goes_on = true;

        peer_tell(peer, hop_input(&peer->hop, &(struct span){0}, &peer->out));
        while (goes_on && peer->is_open && !peer->is_stuck) {
                peer_flush(peer);
                goes_on = say_next(play);
                peer_tell(peer, hop_input(&peer->hop, &(struct span){0}, &peer->out));
        }
        peer_flush(peer);
        if (play->dot_is_given && !play->dot_is_sent && !peer->is_stuck) {
                play->dot_is_sent = true;
                play->good_lines = 0;
        }
        check_said(play);
        check_deadline(play);
}

static bool happen(struct play *play, char what)
{
        struct peer *peer = &play->peer;
        struct hop *hop = &peer->hop;

        switch (what) {
        case 1: /* what was said is a flight, and the caller has its turn */
                return true;
        case 2:
                hop->now_ms = hop->deadline_ms == UINT64_MAX ? hop->now_ms : hop->deadline_ms;
                peer_tell(peer, hop_timeout(hop, &peer->out));
                return true;
        case 3:
                peer_tell(peer, hop_lost(hop, &peer->out));
                return true;
        case 4:
                hop_abandon(hop);
                return true;
        case 5:
                peer->is_stuck = !peer->is_stuck;
                return true;
        case 8:
                hop_quit(hop, &peer->out);
                return true;
        case 14:
                play->may_begin = true;
                return true;
        case 11:
                peer_tell(peer, hop_secured(hop, &peer->out));
                return true;
        case 12:
                peer_tell(peer, hop_handshake_failed(hop, "no", &peer->out));
                return true;
        default:
                return false;
        }
}

static void run(struct play *play, struct span input, enum cutting cutting)
{
        uint8_t terms = (uint8_t)input.at[0];
        struct peer *peer = &play->peer;
        size_t said = 0;

        memset(play, 0, offsetof(struct play, peer.out_octets));
        memset(&play->wishes, 0, sizeof *play - offsetof(struct play, wishes));
        text_over(&peer->said, peer->said_octets, sizeof peer->said_octets);
        text_over(&peer->events, peer->event_octets, sizeof peer->event_octets);
        play->wishes = (uint8_t)input.at[1];
        play->may_begin = (play->wishes & 64) == 0;
        peer->heed = heed;
        peer->terms = (struct hop_terms){.hostname = "mx.isp.example",
                                         .protocol = terms & 1 ? HOP_LMTP : HOP_SMTP,
                                         .starttls = (enum hop_starttls)((terms >> 1 & 3) % 3),
                                         .naming = (enum hop_naming)((terms >> 3 & 3) % 3),
                                         .sends_eight_bit = (terms & 32) != 0,
                                         .transactions_max = terms >> 6};
        memcpy(peer->terms.patience_ms, hop_patience_most_ms, sizeof hop_patience_most_ms);
        peer_begin(peer, cutting, 20261129);
        input = span_skip(input, 2);
        while (said < input.length && peer->is_open && peer->said.length < PEER_KEPT_SIZE / 2 &&
               peer->events.length < PEER_KEPT_SIZE / 2) {
                char what = input.at[said];
                if (strchr("\1\2\3\4\5\x08\x0b\x0c\x0e", what) == NULL || what == '\0') {
                        said++;
                        continue;
                }
                note_lines(play, span_of(input.at, said));
                peer_flight(peer, span_of(input.at, said));
                input = span_skip(input, said + 1);
                said = 0;
                if (peer->is_open && happen(play, what) && peer->is_open)
                        settle(play);
        }
        check_said(play);
        expect(!peer->said.overflowed && !peer->events.overflowed);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
        struct span input = span_of((const char *)octets, length);

        if (length < 3 || length > INPUT_MAX)
                return 0;
        run(&whole, input, CUT_WHOLE);
        for (enum cutting cutting = CUT_OCTETS; cutting <= CUT_PIECES; cutting++) {
                run(&cut, input, cutting);
                expect(span_equals(text_span(&whole.peer.said), text_span(&cut.peer.said)));
                expect(span_equals(text_span(&whole.peer.events), text_span(&cut.peer.events)));
        }
        return 0;
}
