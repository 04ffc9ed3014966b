/* What the filter is told of a session, step by step. */
#include "core/milter/fields.h"
#include "core/milter/internal.h"
#include "core/milter/steps.h"

/* ---- macros -------------------------------------------------------------------------------------------- */

/* Filters close on a name without a value. */
static void put_macros(const struct milter *milter, struct milter_macros macros, struct text *out)
{
        size_t frame = milter_begin_frame(out, 'D'), begin = out->length;
        bool has_any = false;

        text_put_char(out, milter_rows[milter->stage].octet);
        for (size_t i = 0; i < macros.count; i++) {
                struct span name = span_from(macros.at[i].name), value = macros.at[i].value;
                if (value.length == 0 ||
                    name.length + value.length + 2 > MILTER_MACROS_MAX - (out->length - begin))
                        continue;
                milter_put_string(out, name);
                milter_put_string(out, value);
                has_any = true;
        }
        if (has_any)
                milter_end_frame(out, frame);
        else
                out->length = frame;
}

static size_t begin(const struct milter *milter, struct milter_macros macros, struct text *out)
{
        expect(text_room(out) >= MILTER_OUT_ROOM);
        put_macros(milter, macros, out);
        return milter_begin_frame(out, milter_rows[milter->stage].octet);
}

static enum milter_event end(struct milter *milter, size_t frame, struct text *out)
{
        milter_end_frame(out, frame);
        return milter_end_step(milter);
}

static const struct milter_macros no_macros = {0};

/* ---- session ------------------------------------------------------------------------------------------- */

enum milter_event milter_connect(struct milter *milter, struct milter_macros macros, struct span host,
                                 const struct address *address, uint16_t port, struct text *out)
{
        if (!milter_begin_step(milter, MILTER_STATE_CONNECT))
                return milter_answered(milter);
        size_t frame = begin(milter, macros, out);
        milter_put_string(out, host);
        text_put_char(out, address_is_ipv4(address) ? '4' : '6');
        text_put_char(out, (char)(port >> 8));
        text_put_char(out, (char)(port & 0xff));
        address_write(out, address);
        text_put_char(out, '\0');
        return end(milter, frame, out);
}

enum milter_event milter_helo(struct milter *milter, struct milter_macros macros, struct span name,
                              struct text *out)
{
        if (!milter_begin_step(milter, MILTER_STATE_HELO))
                return milter_answered(milter);
        size_t frame = begin(milter, macros, out);
        milter_put_string(out, name);
        return end(milter, frame, out);
}

/* ---- envelope ------------------------------------------------------------------------------------------ */

static enum milter_event say_address(struct milter *milter, enum milter_state step,
                                     struct milter_macros macros, struct span address, struct span parameters,
                                     struct text *out)
{
        if (!milter_begin_step(milter, step))
                return milter_answered(milter);
        size_t frame = begin(milter, macros, out);
        text_put_char(out, '<');
        milter_put_string(out, address);
        out->at[out->length - 1] = '>';
        text_put_char(out, '\0');
        while (parameters.length > 0) {
                struct span parameter = span_take_word(&parameters);
                if (parameter.length > 0)
                        milter_put_string(out, parameter);
        }
        return end(milter, frame, out);
}

enum milter_event milter_mail(struct milter *milter, struct milter_macros macros, struct span sender,
                              struct span parameters, struct text *out)
{
        return say_address(milter, MILTER_STATE_MAIL, macros, sender, parameters, out);
}

enum milter_event milter_recipient(struct milter *milter, struct milter_macros macros, struct span recipient,
                                   struct span parameters, struct text *out)
{
        return say_address(milter, MILTER_STATE_RCPT, macros, recipient, parameters, out);
}

static enum milter_event say_alone(struct milter *milter, enum milter_state step, struct milter_macros macros,
                                   struct text *out)
{
        if (!milter_begin_step(milter, step))
                return milter_answered(milter);
        return end(milter, begin(milter, macros, out), out);
}

enum milter_event milter_data(struct milter *milter, struct milter_macros macros, struct text *out)
{
        return say_alone(milter, MILTER_STATE_DATA, macros, out);
}

void milter_abort(struct milter *milter, struct text *out)
{
        if (!milter_takes_step(milter) || milter->stage < MILTER_STATE_MAIL)
                return;
        if (!milter_has_judged(milter)) {
                milter_end_frame(out, milter_begin_frame(out, 'A'));
                milter->has_unsent = true;
                milter->since_ms = milter->now_ms;
        }
        milter->stage = MILTER_STATE_HELO;
        milter_set_deadline(milter);
}

/* ---- text ---------------------------------------------------------------------------------------------- */

static void begin_content(struct milter *milter)
{
        if (milter->stage < MILTER_STATE_HEADER)
                milter->begun_ms = milter->now_ms;
}

/* Folded lines end with LF alone there. No NUL, for it would end the value. */
static void put_value(struct text *out, size_t most, struct content_place place, size_t length)
{
        while (length > 0) {
                struct span piece = content_piece(place);
                if (piece.length == 0)
                        break;
                piece.length = piece.length < length ? piece.length : length;
                for (size_t i = 0; i < piece.length && out->length < most; i++)
                        if (piece.at[i] != '\r')
                                text_put_char(out, piece.at[i] == '\0' ? '?' : piece.at[i]);
                place = content_skip(place, piece.length);
                length -= piece.length;
        }
        text_put_char(out, '\0');
}

enum milter_event milter_header(struct milter *milter, struct span name, struct content_place value,
                                size_t length, struct text *out)
{
        begin_content(milter);
        if (!milter_begin_step(milter, MILTER_STATE_HEADER))
                return milter_answered(milter);
        size_t frame = begin(milter, no_macros, out), most = out->length + MILTER_DATA_MAX - 1;
        struct span front = content_piece(value);
        if (length > 0 && front.length > 0 && front.at[0] == ' ' &&
            (milter->steps & MILTER_STEP_keeps_blank) == 0) {
                value = content_skip(value, 1);
                length--;
        }
        milter_put_string(out, name);
        put_value(out, most, value, length);
        return end(milter, frame, out);
}

enum milter_event milter_end_of_header(struct milter *milter, struct text *out)
{
        begin_content(milter);
        return say_alone(milter, MILTER_STATE_END_OF_HEADER, no_macros, out);
}

enum milter_event milter_body(struct milter *milter, struct span *body, struct text *out)
{
        struct span chunk =
            span_of(body->at, body->length < MILTER_DATA_MAX ? body->length : MILTER_DATA_MAX);

        *body = span_skip(*body, chunk.length);
        if (!milter_begin_step(milter, MILTER_STATE_BODY))
                return milter_answered(milter);
        size_t frame = begin(milter, no_macros, out);
        text_put(out, chunk);
        return end(milter, frame, out);
}

enum milter_event milter_end(struct milter *milter, struct milter_macros macros, struct milter_edits *edits,
                             struct text *out)
{
        milter->edits = edits;
        return say_alone(milter, MILTER_STATE_END, macros, out);
}
