/* Finds fields by their first line, and their ends by the first octets of the lines that follow. */
#include "core/milter/fields.h"

struct content_place content_begin(const struct content *content)
{
        return content_skip((struct content_place){.block = content->first}, 0);
}

struct span content_piece(struct content_place place)
{
        return place.block == NULL ? SPAN("")
                                   : span_of(place.block->octets + place.at, place.block->length - place.at);
}

struct content_place content_skip(struct content_place place, size_t octets)
{
        place.at += octets;
        while (place.block != NULL && place.at >= place.block->length) {
                place.at -= place.block->length;
                place.block = place.block->next;
        }
        return place;
}

/* '\0' at the end, where no line can go on. */
static char octet_at(struct content_place place)
{
        struct span piece = content_piece(place);
        return piece.length == 0 ? '\0' : piece.at[0];
}

/* Octets up to the end of the line and behind its LF. */
static size_t line_measure(struct content_place place)
{
        size_t length = 0;

        for (struct span piece = content_piece(place); piece.length > 0; piece = content_piece(place)) {
                size_t end = span_find(piece, '\n');
                if (end != SIZE_MAX)
                        return length + end + 1;
                length += piece.length;
                place = content_skip(place, piece.length);
        }
        return length;
}

/* The name, and blanks and a colon behind it (RFC 5322 4.5). */
static bool read_name(struct content_place place, struct field *field)
{
        size_t length = 0;
        char octet;

        for (; (octet = octet_at(place)) > ' ' && octet <= '~' && octet != ':';
             place = content_skip(place, 1)) {
                if (length == sizeof field->name)
                        return false;
                field->name[length++] = octet;
        }
        field->name_length = (uint16_t)length;
        for (; (octet = octet_at(place)) == ' ' || octet == '\t'; place = content_skip(place, 1))
                length++;
        field->value = length + 1;
        return field->name_length > 0 && octet == ':';
}

bool field_read(struct content_place place, struct field *ret_field)
{
        if (!read_name(place, ret_field))
                return false;
        ret_field->place = place;
        ret_field->length = 0;
        do {
                size_t line = line_measure(place);
                ret_field->length += line;
                place = content_skip(place, line);
        } while (octet_at(place) == ' ' || octet_at(place) == '\t');
        return true;
}

uint32_t field_count(struct content_place place, uint32_t most)
{
        struct field field;
        uint32_t count = 0;

        for (; count <= most && field_read(place, &field); place = content_skip(place, field.length))
                count++;
        return count;
}

struct content_place header_skip_end(struct content_place place, bool *ret_has_blank_line)
{
        struct content_place behind = content_skip(place, 1);
        bool has_blank_line = octet_at(place) == '\r' && octet_at(behind) == '\n';

        if (ret_has_blank_line != NULL)
                *ret_has_blank_line = has_blank_line;
        return has_blank_line ? content_skip(behind, 1) : place;
}
