/* One step a turn, as the place in the text says. */
#include "core/milter/give.h"

#include "core/milter/steps.h"

bool milter_has_too_many_fields(const struct content *text, size_t own)
{
        return field_count(content_skip(content_begin(text), own), MILTER_FIELDS_MAX) > MILTER_FIELDS_MAX;
}

void milter_give_begin(struct milter_giving *giving, const struct content *text, size_t own)
{
        *giving = (struct milter_giving){.place = content_skip(content_begin(text), own)};
}

static enum milter_event give_field(struct milter *milter, struct milter_giving *giving, struct text *out)
{
        struct field field;
        bool has_blank_line;

        if (!field_read(giving->place, &field)) {
                giving->place = header_skip_end(giving->place, &has_blank_line);
                giving->is_in_body = true;
                giving->lacks_blank_line = !has_blank_line && giving->place.block != NULL;
                return milter_end_of_header(milter, out);
        }
        struct content_place value = content_skip(giving->place, field.value);
        size_t length = field.length - field.value, end = length < 2 ? length : 2;
        giving->place = content_skip(giving->place, field.length);
        return milter_header(milter, field_name(&field), value, length - end, out);
}

static enum milter_event give_body(struct milter *milter, struct milter_giving *giving, struct text *out)
{
        struct span piece = content_piece(giving->place);
        size_t length = piece.length;
        enum milter_event event = milter_body(milter, &piece, out);

        giving->place = content_skip(giving->place, length - piece.length);
        return event;
}

enum milter_event milter_give(struct milter *milter, struct milter_giving *giving, struct text *out)
{
        while (!giving->is_done) {
                if (milter_has_judged(milter) || (giving->is_in_body && giving->place.block == NULL)) {
                        giving->is_done = true;
                        break;
                }
                if (!milter_takes_step(milter) || text_room(out) < MILTER_OUT_ROOM)
                        return MILTER_WAITS;
                enum milter_event event =
                    giving->is_in_body ? give_body(milter, giving, out) : give_field(milter, giving, out);
                if (event == MILTER_WAITS)
                        return MILTER_WAITS;
        }
        return MILTER_ANSWERED;
}
