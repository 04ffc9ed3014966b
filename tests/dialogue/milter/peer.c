/* See peer.h. */
#include "tests/dialogue/milter/peer.h"

#include "core/base/expect.h"

void milter_peer_put_escaped(struct text *text, struct span octets)
{
        static const char plain[] = "\r\n\t\0\\", letters[] = "rnt0\\";

        for (size_t i = 0; i < octets.length; i++) {
                const char *special = memchr(plain, octets.at[i], sizeof plain - 1);
                if (special != NULL) {
                        text_put_char(text, '\\');
                        text_put_char(text, letters[special - plain]);
                } else if (octets.at[i] < ' ' || octets.at[i] > '~') {
                        text_put_string(text, "\\x");
                        text_put_hex(text, (const uint8_t *)octets.at + i, 1);
                } else {
                        text_put_char(text, octets.at[i]);
                }
        }
}

static void put_word(struct text *text, const char *word)
{
        text_put_char(text, ' ');
        text_put_string(text, word);
}

/* ---- events -------------------------------------------------------------------------------------------- */

static void put_judgement(struct text *text, const struct milter_judgement *judgement)
{
        static const char *const verdicts[] = {
            [MILTER_CONTINUES] = "continues", [MILTER_ACCEPTS] = "accepts",
            [MILTER_REJECTS] = "rejects",     [MILTER_DEFERS] = "defers",
            [MILTER_DISCARDS] = "discards",   [MILTER_SHUTS_DOWN] = "shuts-down",
        };
        static const char *const scopes[] = {
            [MILTER_FOR_COMMAND] = "command",
            [MILTER_FOR_MESSAGE] = "message",
            [MILTER_FOR_CONNECTION] = "connection",
        };

        put_word(text, verdicts[judgement->verdict]);
        if (judgement->verdict != MILTER_CONTINUES)
                put_word(text, scopes[judgement->scope]);
        if (judgement->reply.code > 0) {
                text_put_char(text, ' ');
                text_put_number(text, judgement->reply.code);
                put_word(text, judgement->reply.enhanced);
                put_word(text, judgement->reply.text);
        }
}

static void put_edit(struct text *text, const struct milter_edit *edit)
{
        static const char *const kinds[] = {
            [MILTER_ADDS_FIELD] = "add",
            [MILTER_INSERTS_FIELD] = "insert",
            [MILTER_CHANGES_FIELD] = "change",
            [MILTER_ADDS_RECIPIENT] = "add-rcpt",
            [MILTER_DELETES_RECIPIENT] = "delete-rcpt",
            [MILTER_CHANGES_SENDER] = "sender",
        };

        text_put_string(text, "edit");
        put_word(text, kinds[edit->kind]);
        if (edit->kind == MILTER_INSERTS_FIELD || edit->kind == MILTER_CHANGES_FIELD) {
                text_put_char(text, ' ');
                text_put_number(text, edit->index);
        }
        text_put_char(text, ' ');
        milter_peer_put_escaped(text, edit->name);
        text_put_char(text, ':');
        milter_peer_put_escaped(text, edit->value);
        text_put_char(text, '\n');
}

static void put_edits(struct peer *peer)
{
        const struct milter_edits *edits = &peer->edits;
        struct text *text = &peer->events;

        for (const struct milter_edit *edit = edits->first; edit != NULL; edit = edit->next)
                put_edit(text, edit);
        if (edits->quarantines)
                text_printf(text, "quarantine %.*s\n", (int)edits->quarantine.length, edits->quarantine.at);
        if (edits->replaces_body)
                text_printf(text, "body %zu\n", edits->body.length);
        if (edits->refused > 0)
                text_printf(text, "refused %u %s\n", edits->refused, edits->refusal);
}

static void put_failure(struct text *text, const struct milter *milter)
{
        static const char *const failures[] = {
            [MILTER_FAILED_BY_CLOSE] = "closed",
            [MILTER_FAILED_BY_TIMEOUT] = "timeout",
            [MILTER_FAILED_BY_FAULT] = "fault",
            [MILTER_FAILED_BY_BOUND] = "bound",
        };
        put_word(text, failures[milter->failure]);
        put_word(text, milter->why);
}

static void put_event(struct peer *peer, enum milter_event event)
{
        static const char *const names[] = {
            [MILTER_WAITS] = "waits",   [MILTER_READY] = "ready", [MILTER_ANSWERED] = "answered",
            [MILTER_FAILED] = "failed", [MILTER_CLOSE] = "close",
        };
        struct text *text = &peer->events;

        text_put_string(text, names[event]);
        if (event == MILTER_ANSWERED)
                put_judgement(text, &peer->milter.judgement);
        if (event == MILTER_FAILED)
                put_failure(text, &peer->milter);
        text_put_char(text, '\n');
        if (event == MILTER_ANSWERED && peer->is_ending)
                put_edits(peer);
}

/* ---- beginning and end --------------------------------------------------------------------------------- */

void milter_peer_init(struct peer *peer, enum cutting cutting, uint32_t seed)
{
        memset(peer, 0, offsetof(struct peer, out_octets));
        peer->heed = NULL;
        peer->cutting = cutting;
        peer->random = seed;
        peer->body_max = 1000000;
        peer->terms.actions = MILTER_ACTIONS_ALL;
        memcpy(peer->terms.patience_ms, milter_patience_most_ms, sizeof milter_patience_most_ms);
        peer->milter.now_ms = 1000;
        block_pool_init(&peer->blocks, 4096, 16);
        arena_init(&peer->arena, &peer->blocks, 1u << 20);
        content_pool_init(&peer->pool, 64);
        text_over(&peer->out, peer->out_octets, sizeof peer->out_octets);
        text_over(&peer->unread, peer->unread_octets, sizeof peer->unread_octets);
        text_over(&peer->said, peer->said_octets, sizeof peer->said_octets);
        text_over(&peer->events, peer->event_octets, sizeof peer->event_octets);
}

static void end_edits(struct peer *peer)
{
        if (peer->edits.arena != NULL)
                milter_edits_end(&peer->edits);
        peer->edits.arena = NULL;
}

void milter_peer_end(struct peer *peer)
{
        end_edits(peer);
        content_release(&peer->text, &peer->pool);
        content_pool_end(&peer->pool);
        arena_end(&peer->arena);
        block_pool_end(&peer->blocks);
}

/* In the cut modes with no more room than the contract grants. */
static struct text *room(struct peer *peer)
{
        peer->out.size = peer->cutting == CUT_WHOLE || peer->is_stuck ? sizeof peer->out_octets
                                                                      : peer->out.length + MILTER_OUT_ROOM;
        expect(peer->out.size <= sizeof peer->out_octets);
        return &peer->out;
}

void milter_peer_begin(struct peer *peer)
{
        peer->is_open = true;
        peer->is_stuck = peer->is_giving = peer->is_ending = false;
        peer->out.length = peer->unread.length = 0;
        milter_begin(&peer->milter, &peer->terms, peer->milter.now_ms, room(peer));
        milter_peer_flush(peer);
}

struct milter_edits *milter_peer_begin_edits(struct peer *peer)
{
        end_edits(peer);
        arena_end(&peer->arena);
        arena_init(&peer->arena, &peer->blocks, 1u << 20);
        milter_edits_begin(&peer->edits, &peer->arena, &peer->pool, NULL, peer->body_max);
        peer->is_ending = true;
        return &peer->edits;
}

/* ---- what happens -------------------------------------------------------------------------------------- */

static void send_out(struct peer *peer)
{
        if (peer->is_stuck)
                return;
        text_put(&peer->said, text_span(&peer->out));
        peer->out.length = 0;
        milter_sent(&peer->milter, 0);
}

static void note(struct peer *peer, enum milter_event event)
{
        put_event(peer, event);
        if (event == MILTER_CLOSE)
                peer->is_open = false;
        if (peer->heed != NULL)
                peer->heed(peer, event);
        peer->is_ending = peer->is_ending && event != MILTER_ANSWERED;
}

void milter_peer_tell(struct peer *peer, enum milter_event event)
{
        struct span nothing = {0};

        while (event != MILTER_WAITS && peer->is_open) {
                note(peer, event);
                if (peer->is_open)
                        event = milter_input(&peer->milter, &nothing);
        }
}

/* The events of what is given are those that the caller of the pump sees. */
static void give_on(struct peer *peer)
{
        struct span nothing = {0};

        while (peer->is_giving && peer->is_open && milter_takes_step(&peer->milter)) {
                enum milter_event event = milter_give(&peer->milter, &peer->giving, room(peer));
                send_out(peer);
                if (event == MILTER_ANSWERED) {
                        peer->is_giving = false;
                        text_put_string(&peer->events, "given\n");
                }
                milter_peer_tell(peer, milter_input(&peer->milter, &nothing));
                if (event == MILTER_WAITS && peer->is_stuck)
                        break;
        }
}

void milter_peer_flush(struct peer *peer)
{
        send_out(peer);
        give_on(peer);
        send_out(peer);
}

static size_t piece_length(struct peer *peer, size_t length)
{
        return cut_length(peer->cutting, &peer->random,
                          length < MILTER_INPUT_MAX ? length : MILTER_INPUT_MAX);
}

static void feed(struct peer *peer, struct span piece)
{
        struct span input;

        text_put(&peer->unread, piece);
        input = text_span(&peer->unread);
        do {
                enum milter_event event = milter_input(&peer->milter, &input);
                if (event == MILTER_WAITS)
                        break;
                note(peer, event);
        } while (peer->is_open);
        expect(input.length <= MILTER_INPUT_MAX || !peer->is_open);
        memmove(peer->unread.at, input.at, input.length);
        peer->unread.length = input.length;
}

void milter_peer_flight(struct peer *peer, struct span octets)
{
        while (octets.length > 0 && peer->is_open) {
                size_t length = piece_length(peer, octets.length);
                feed(peer, span_of(octets.at, length));
                octets = span_skip(octets, length);
        }
        milter_peer_flush(peer);
}

/* ---- text ---------------------------------------------------------------------------------------------- */

/* One more block for each piece, however short. */
static bool append_block(struct peer *peer, struct span octets)
{
        struct content block = {0};

        if (octets.length == 0)
                return true;
        if (!content_append(&block, &peer->pool, octets))
                return false;
        if (peer->text.last == NULL)
                peer->text.first = block.first;
        else
                peer->text.last->next = block.first;
        peer->text.last = block.last;
        peer->text.length += block.length;
        return true;
}

static size_t measure_header(struct peer *peer, struct span text)
{
        struct content whole = {0};
        struct field field;
        size_t length = 0;

        if (content_append(&whole, &peer->pool, text))
                while (field_read(content_skip(content_begin(&whole), length), &field))
                        length += field.length;
        content_release(&whole, &peer->pool);
        return length;
}

/* In the cut modes a header of moderate length is in short blocks, so that its fields lie across them. */
bool milter_peer_set_text(struct peer *peer, struct span text, size_t own)
{
        size_t header = measure_header(peer, text);
        bool is_good = true;

        content_release(&peer->text, &peer->pool);
        peer->own = own;
        while (header > 0 && is_good) {
                size_t length = header > 4096 ? header : piece_length(peer, header);
                is_good = append_block(peer, span_of(text.at, length));
                text = span_skip(text, length);
                header -= length;
        }
        return is_good && append_block(peer, text);
}

void milter_peer_give(struct peer *peer)
{
        milter_give_begin(&peer->giving, &peer->text, peer->own);
        peer->is_giving = true;
        milter_peer_flush(peer);
}

void milter_peer_apply(struct peer *peer)
{
        struct content made;
        struct text *events = &peer->events;

        if (!milter_apply(&peer->edits, &peer->text, peer->own, &made, &peer->pool)) {
                text_put_string(events, "not applied\n");
                return;
        }
        text_put_string(events, "text ");
        for (const struct content_block *block = made.first; block != NULL; block = block->next)
                milter_peer_put_escaped(events, span_of(block->octets, block->length));
        text_put_char(events, '\n');
        content_release(&made, &peer->pool);
}
