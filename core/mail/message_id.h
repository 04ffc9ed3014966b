/* The Message-ID of a message as its text comes, for whoever asks later what became of it. */
#pragma once

#include "core/base/text.h"

#define MESSAGE_ID_MAX 250 /* octets that are kept */

struct message_id {
        enum message_id_state {
                MESSAGE_ID_NAME,  /* a field's name that may become it */
                MESSAGE_ID_VALUE, /* in the field, or in a line that may go on with it */
                MESSAGE_ID_OTHER, /* another field, or its folded lines */
                MESSAGE_ID_DONE,  /* the field has ended */
        } state;
        uint8_t matched; /* octets of the name */
        uint8_t length;
        char octets[MESSAGE_ID_MAX];
};

void message_id_init(struct message_id *id);
/* Octets of a line of the header, in any pieces, its CRLF not among them. `is_line_start`: they begin one. */
void message_id_read(struct message_id *id, struct span octets, bool is_line_start);
/* The same of a whole line, which is not empty. `id` may be NULL. */
void message_id_read_line(struct message_id *id, struct span line);
/* At the start of a line that is not the field, it changes nothing. */
static inline bool message_id_is_elsewhere(const struct message_id *id)
{
        return id->state == MESSAGE_ID_DONE || id->state == MESSAGE_ID_OTHER;
}
/* It has begun, and nothing but blanks has come: more of them change nothing. */
static inline bool message_id_is_blank(const struct message_id *id)
{
        return id->state == MESSAGE_ID_VALUE && id->length == 0;
}
/* What the field said, without blanks around it; empty: no such field, or `id` is NULL. Valid as long as
 * `id`. */
struct span message_id_found(const struct message_id *id);
