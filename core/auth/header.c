/* Lines end with CRLF and with nothing else; a bare CR or LF is an octet of its line. */
#include "core/auth/header.h"

#define ROOM_FIRST   4096
#define FIELDS_FIRST 64

void auth_header_init(struct auth_header *header, struct arena *arena)
{
        *header = (struct auth_header){.arena = arena};
}

/* A larger copy of what has `used` octets, or NULL. Each doubles the one before, so that all that is taken is less than
 * twice what is needed. */
static void *grown(struct auth_header *header, const void *old, size_t used, size_t size)
{
        void *memory = arena_take(header->arena, size);

        if (memory == NULL)
                header->is_out_of_memory = true;
        else if (used > 0)
                memcpy(memory, old, used);
        return memory;
}

static void keep(struct auth_header *header, struct span octets)
{
        uint32_t room = header->room == 0 ? ROOM_FIRST : header->room;

        if (!auth_header_is_kept(header))
                return;
        if (octets.length > AUTH_HEADER_MAX - header->length) {
                header->is_too_large = true;
                return;
        }
        while (room - header->length < octets.length)
                room *= 2;
        if (room != header->room) {
                char *memory = grown(header, header->octets, header->length, room);
                if (memory == NULL)
                        return;
                header->octets = memory;
                header->room = room;
        }
        memcpy(header->octets + header->length, octets.at, octets.length);
        header->length += (uint32_t)octets.length;
}

static bool has_room_for_field(struct auth_header *header)
{
        uint32_t room = header->field_room == 0 ? FIELDS_FIRST : 2 * header->field_room;

        if (header->count == AUTH_FIELDS_MAX) {
                header->is_too_large = true;
                return false;
        }
        if (header->count < header->field_room)
                return true;
        struct auth_field *fields =
            grown(header, header->fields, header->count * sizeof *fields, room * sizeof *fields);
        if (fields == NULL)
                return false;
        header->fields = fields;
        header->field_room = room;
        return true;
}

/* A line that begins a field, or none: then nothing can name it. */
static void begin_field(struct auth_header *header, struct span line)
{
        size_t colon = span_find(line, ':');
        struct auth_field field = {.at = header->line_at, .length = (uint32_t)line.length};

        if (!has_room_for_field(header))
                return;
        if (colon != SIZE_MAX) {
                struct span name = span_of(line.at, colon);
                while (name.length > 0 &&
                       (name.at[name.length - 1] == ' ' || name.at[name.length - 1] == '\t'))
                        name.length--;
                field.name_length = (uint32_t)name.length;
                field.value = (uint32_t)colon + 1;
        }
        header->fields[header->count++] = field;
}

/* `end`: octets that end the line. */
static void take_line(struct auth_header *header, uint32_t end)
{
        struct span line = span_of(header->octets + header->line_at, header->length - end - header->line_at);

        if (header->count > 0 && (line.at[0] == ' ' || line.at[0] == '\t')) {
                struct auth_field *field = &header->fields[header->count - 1];
                field->length = header->length - end - field->at;
        } else {
                begin_field(header, line);
        }
}

static void end_line(struct auth_header *header, uint32_t end)
{
        if (header->line_length == end)
                header->is_over = true;
        else if (auth_header_is_kept(header))
                take_line(header, end);
        header->line_at = header->length;
        header->line_length = 0;
        header->last = '\0';
}

void auth_header_read(struct auth_header *header, struct span *octets)
{
        while (octets->length > 0 && !header->is_over) {
                size_t end = span_find(*octets, '\n');
                struct span piece = span_of(octets->at, end == SIZE_MAX ? octets->length : end + 1);
                char before = piece.length > 1 ? piece.at[piece.length - 2] : header->last;

                keep(header, piece);
                header->line_length += piece.length;
                header->last = piece.at[piece.length - 1];
                *octets = span_skip(*octets, piece.length);
                if (header->last == '\n' && before == '\r')
                        end_line(header, 2);
        }
}

void auth_header_end(struct auth_header *header)
{
        if (!header->is_over && header->line_length > 0 && auth_header_is_kept(header))
                take_line(header, 0);
        header->is_over = true;
}
