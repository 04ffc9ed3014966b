/* The first field of that name counts. */
#include "core/mail/message_id.h"

#include "core/mail/line.h"

_Static_assert(MESSAGE_ID_MAX <= UINT8_MAX, "length has eight bits");

static const struct span field = {"message-id", 10};

void message_id_init(struct message_id *id)
{
        id->state = MESSAGE_ID_OTHER;
        id->matched = id->length = 0;
}

static bool is_blank(char c)
{
        return c == ' ' || c == '\t';
}

static void begin_line(struct message_id *id, char octet)
{
        if (id->state == MESSAGE_ID_VALUE && !is_blank(octet))
                id->state = MESSAGE_ID_DONE;
        if (id->state == MESSAGE_ID_VALUE || id->state == MESSAGE_ID_DONE)
                return;
        id->state = is_blank(octet) ? MESSAGE_ID_OTHER : MESSAGE_ID_NAME;
        id->matched = 0;
}

/* Blanks before the colon are obsolete syntax (RFC 5322 4.5). */
static void name_octet(struct message_id *id, char octet)
{
        bool is_complete = id->matched == field.length;

        if (is_complete && octet == ':')
                id->state = MESSAGE_ID_VALUE;
        else if (!is_complete && ascii_lower(octet) == field.at[id->matched])
                id->matched++;
        else if (!is_complete || !is_blank(octet))
                id->state = MESSAGE_ID_OTHER;
}

static void keep(struct message_id *id, struct span octets)
{
        while (id->length == 0 && octets.length > 0 && is_blank(octets.at[0]))
                octets = span_skip(octets, 1);
        size_t room = MESSAGE_ID_MAX - id->length, length = octets.length < room ? octets.length : room;
        if (length > 0)
                memcpy(id->octets + id->length, octets.at, length);
        id->length = (uint8_t)(id->length + length);
}

void message_id_read(struct message_id *id, struct span octets, bool is_line_start)
{
        if (octets.length == 0)
                return;
        if (is_line_start)
                begin_line(id, octets.at[0]);
        while (id->state == MESSAGE_ID_NAME && octets.length > 0) {
                name_octet(id, octets.at[0]);
                octets = span_skip(octets, 1);
        }
        if (id->state == MESSAGE_ID_VALUE)
                keep(id, octets);
}

/* Most are seen to be another field by their first octets. */
void message_id_read_line(struct message_id *id, struct span line)
{
        if (id == NULL || id->state == MESSAGE_ID_DONE)
                return;
        if (id->state == MESSAGE_ID_VALUE ||
            (line.length > field.length && line_has_letters(line.at, "message-")))
                message_id_read(id, line, true);
        else
                id->state = MESSAGE_ID_OTHER;
}

struct span message_id_found(const struct message_id *id)
{
        return id == NULL ? SPAN("") : span_trim(span_of(id->octets, id->length));
}
