/* Fuzzes the dialogue with a filter: what a hostile one may say, and what a caller may do meanwhile. The first
 * octet chooses the terms; the rest are letters, see `happen`, and what the filter says: 'f' and 'b' with a
 * length and so many octets, as a frame or as they are. However that is cut, what we say and what comes of it is
 * the same; what we say are frames; edits inject nothing; and a text that they are applied to is one. */
#include "core/base/expect.h"
#include "tests/dialogue/milter/peer.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length);

#define INPUT_MAX 20000
#define OWN       SPAN("Received: by us\r\n")
#define BODY      SPAN("body\r\n.\r\n")

static const char *const texts[] = {
    "Received: by us\r\nA: 1\r\nb: 2\r\n 3\r\na : 4\r\n\r\nbody\r\n.\r\n",
    "Received: by us\r\n\r\nbody\r\n.\r\n",
};

struct play {
        struct peer peer; /* first */
        uint8_t terms;
        uint32_t recipients; /* of this message */
        size_t said_checked;
        bool has_quit;
        char flight[3 * INPUT_MAX]; /* two octets of the input may be a frame of five */
        size_t flight_length;
};

static struct play whole, cut;

/* ---- what must hold ------------------------------------------------------------------------------------ */

/* What we say are frames of commands, none of them after a Q, nor one that the filter does not want. */
static void check_said(struct play *play)
{
        struct span said = text_span(&play->peer.said);

        while (play->said_checked < said.length) {
                const unsigned char *at = (const unsigned char *)said.at + play->said_checked;
                size_t length = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
                expect(length > 0 && length <= MILTER_DATA_MAX + 1);
                expect(play->said_checked + 4 + length <= said.length && !play->has_quit);
                expect(at[4] != '\0' && strchr("OCHMRTLNBEDAQ", at[4]) != NULL);
                expect(strchr("CHMRL", at[4]) == NULL || at[4 + length - 1] == '\0');
                play->has_quit = at[4] == 'Q';
                play->said_checked += 4 + length;
        }
}

/* Ends of lines are CRLF; in a value each is followed by a blank, and the line has more. */
static void check_lines(struct span text, bool is_value)
{
        for (size_t i = 0; i < text.length; i++) {
                char next = i + 1 < text.length ? text.at[i + 1] : '\0';
                expect((text.at[i] == '\r') == (next == '\n'));
                if (is_value)
                        expect(text.at[i] != '\0' && (text.at[i] != '\n' || next == ' ' || next == '\t'));
        }
        expect(text.length == 0 || text.at[0] != '\n');
}

static void check_edits(const struct milter_edits *edits)
{
        for (const struct milter_edit *edit = edits->first; edit != NULL; edit = edit->next) {
                expect(!span_has_control(edit->name) && span_find(edit->name, ' ') == SIZE_MAX);
                if (edit->kind <= MILTER_CHANGES_FIELD) {
                        expect(edit->name.length > 0 && span_find(edit->name, ':') == SIZE_MAX);
                        check_lines(edit->value, true);
                } else {
                        expect(!span_has_control(edit->value));
                }
        }
        expect(edits->count <= MILTER_EDITS_MAX && edits->octets <= MILTER_EDITS_OCTETS_MAX);
        expect(edits->body.length <= edits->body_max);
}

/* Ours stay in front, one header is followed by one body, and that is the old one unless it was replaced. */
static void check_applied(struct peer *peer)
{
        static char octets[PEER_KEPT_SIZE];
        struct content made;
        struct text text;
        struct field field;
        bool has_blank_line;

        expect(milter_apply(&peer->edits, &peer->text, peer->own, &made, &peer->pool));
        text_over(&text, octets, sizeof octets);
        for (const struct content_block *block = made.first; block != NULL; block = block->next)
                text_put(&text, span_of(block->octets, block->length));
        expect(!text.overflowed && text.length == made.length);
        check_lines(text_span(&text), false);
        expect(span_starts_nocase(text_span(&text), OWN));
        struct content_place place = content_begin(&made);
        while (field_read(place, &field))
                place = content_skip(place, field.length);
        place = header_skip_end(place, &has_blank_line);
        size_t body = peer->edits.replaces_body ? peer->edits.body.length : BODY.length, length = 0;
        for (; place.block != NULL; place = content_skip(place, content_piece(place).length))
                length += content_piece(place).length;
        expect(has_blank_line && length == body);
        expect(peer->edits.replaces_body || span_ends_nocase(text_span(&text), BODY));
        content_release(&made, &peer->pool);
}

static void heed(struct peer *peer, enum milter_event event)
{
        const struct milter *milter = &peer->milter;

        if (event != MILTER_ANSWERED)
                return;
        const struct milter_reply *reply = &milter->judgement.reply;
        expect(reply->code == 0 || reply->code / 100 == 4 || reply->code / 100 == 5);
        expect(reply->code == 0 || reply->enhanced[0] - '0' == reply->code / 100);
        expect(!span_has_control(span_from(reply->text)));
        if (!peer->is_ending)
                return;
        check_edits(&peer->edits);
        check_applied(peer);
}

static void check_deadline(const struct play *play)
{
        const struct milter *milter = &play->peer.milter;
        expect(!milter->is_owed ||
               milter->deadline_ms <=
                   milter->asked_ms + milter->terms->patience_ms[MILTER_PATIENCE_progress]);
}

/* ---- the caller ---------------------------------------------------------------------------------------- */

static enum milter_event say_envelope(struct play *play, struct milter *milter, struct text *out)
{
        static const struct milter_macro macro[] = {{"i", {"abc", 3}}, {"v", {"", 0}}};
        const struct milter_macros macros = {macro, (play->terms & 4) != 0 ? 2 : 0};
        const struct address address = {.octets = {[15] = 1}};

        switch ((int)milter->stage) {
        case MILTER_STATE_OPTIONS:
                return milter_connect(milter, macros, SPAN("far.example"), &address, 25, out);
        case MILTER_STATE_CONNECT:
                return milter_helo(milter, macros, SPAN("far\0example"), out);
        case MILTER_STATE_HELO:
                play->recipients = 0;
                return milter_mail(milter, macros, SPAN("a@far.example"), SPAN("SIZE=1 X"), out);
        default:
                if (play->recipients++ < 2)
                        return milter_recipient(milter, macros, SPAN("b@isp.example"), SPAN(""), out);
                return milter_data(milter, macros, out);
        }
}

/* False: there is nothing to be said now. */
static bool say_next(struct play *play)
{
        struct peer *peer = &play->peer;
        struct milter *milter = &peer->milter;
        struct milter_macros none = {0};

        peer->out.size = sizeof peer->out_octets;
        if (!peer->is_open || peer->is_giving || peer->is_stuck || !milter_takes_step(milter))
                return false;
        if (milter->stage < MILTER_STATE_DATA) {
                milter_peer_tell(peer, say_envelope(play, milter, &peer->out));
                return milter->stage != MILTER_STATE_MAIL || play->recipients == 0;
        }
        if (milter->stage == MILTER_STATE_DATA && !peer->giving.is_done) {
                milter_peer_give(peer);
                return true;
        }
        peer->giving.is_done = false;
        milter_peer_tell(peer, milter_end(milter, none, milter_peer_begin_edits(peer), &peer->out));
        return false; /* one message a turn */
}

static void settle(struct play *play)
{
        struct peer *peer = &play->peer;
        struct span nothing = {0};

        if (peer->is_open)
                milter_peer_tell(peer, milter_input(&peer->milter, &nothing));
        milter_peer_flush(peer);
        while (say_next(play))
                milter_peer_flush(peer);
        milter_peer_flush(peer);
        check_said(play);
        check_deadline(play);
}

static void happen(struct play *play, char what)
{
        struct peer *peer = &play->peer;
        struct milter *milter = &peer->milter;

        if (what == 't') {
                milter->now_ms = milter->deadline_ms == UINT64_MAX ? milter->now_ms : milter->deadline_ms;
                milter_peer_tell(peer, milter_timeout(milter));
        } else if (what == 'w') {
                milter->now_ms += 1000;
        } else if (what == 'l') {
                milter_peer_tell(peer, milter_lost(milter));
        } else if (what == 's') {
                peer->is_stuck = !peer->is_stuck;
        } else if (what == 'a' && milter_takes_step(milter)) {
                milter_abort(milter, &peer->out);
                peer->is_giving = peer->giving.is_done = false;
        } else if (what == 'q') {
                milter_quit(milter, &peer->out);
        }
}

/* ---- a run --------------------------------------------------------------------------------------------- */

static void gather(struct play *play, struct span *input, bool is_frame)
{
        size_t length = (unsigned char)input->at[0];
        const char octets[4] = {0, 0, (char)(length >> 8), (char)length};

        *input = span_skip(*input, 1);
        length = length < input->length ? length : input->length;
        if (is_frame) {
                memcpy(play->flight + play->flight_length, octets, sizeof octets);
                play->flight_length += sizeof octets;
        }
        memcpy(play->flight + play->flight_length, input->at, length);
        play->flight_length += length;
        *input = span_skip(*input, length);
}

static void run(struct play *play, struct span input, enum cutting cutting)
{
        struct peer *peer = &play->peer;

        memset(&play->terms, 0, offsetof(struct play, flight) - offsetof(struct play, terms));
        play->flight_length = 0;
        play->terms = (uint8_t)input.at[0];
        milter_peer_init(peer, cutting, 20261129);
        peer->heed = heed;
        peer->body_max = 5000;
        peer->terms.actions = (play->terms & 1) != 0 ? MILTER_ACTIONS_ALL : MILTER_adds_fields;
        expect(milter_peer_set_text(peer, span_from(texts[play->terms >> 1 & 1]), OWN.length));
        milter_peer_begin(peer);
        input = span_skip(input, 1);
        while (input.length > 0 && peer->is_open && peer->said.length < PEER_KEPT_SIZE / 4 &&
               peer->events.length < PEER_KEPT_SIZE / 4) {
                char what = input.at[0];
                input = span_skip(input, 1);
                if (what == 'f' || what == 'b') {
                        if (input.length > 0)
                                gather(play, &input, what == 'f');
                        continue;
                }
                milter_peer_flight(peer, span_of(play->flight, play->flight_length));
                play->flight_length = 0;
                if (peer->is_open)
                        happen(play, what);
                settle(play);
        }
        expect(!peer->said.overflowed && !peer->events.overflowed);
        milter_peer_end(peer);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
        struct span input = span_of((const char *)octets, length);

        if (length < 2 || length > INPUT_MAX)
                return 0;
        run(&whole, input, CUT_WHOLE);
        for (enum cutting cutting = CUT_OCTETS; cutting <= CUT_PIECES; cutting++) {
                run(&cut, input, cutting);
                expect(span_equals(text_span(&whole.peer.said), text_span(&cut.peer.said)));
                expect(span_equals(text_span(&whole.peer.events), text_span(&cut.peer.events)));
        }
        return 0;
}
