/* The fields of a header where it lies, in the blocks of a message's text, in any pieces. Nothing is copied but
 * names. */
#pragma once

#include "core/mail/content.h"

/* A place in a text. `block` is NULL at its end. It is valid as long as the blocks. */
struct content_place {
        const struct content_block *block;
        size_t at; /* octets of the block in front of it */
};

struct content_place content_begin(const struct content *content);
/* What lies there in one piece; empty at the end alone. */
struct span content_piece(struct content_place place);
/* `octets` further, or the end. */
struct content_place content_skip(struct content_place place, size_t octets);

struct field {
        struct content_place place; /* of its first octet */
        size_t length;              /* with its last CRLF, if it has one */
        size_t value; /* octets in front of its value: the name, blanks behind it, and the colon */
        uint16_t name_length;
        char name[998]; /* RFC 5322 2.1.1; what begins with a longer one is no field */
};

/* The field that begins at `place`. False: none does, for the header is over. */
bool field_read(struct content_place place, struct field *ret_field);
static inline struct span field_name(const struct field *field)
{
        return span_of(field->name, field->name_length);
}
/* How many fields begin there, one after the other; it stops when there are more than `most`. */
uint32_t field_count(struct content_place place, uint32_t most);
/* Behind the header: past the blank line that ends it. Without one, where a line is no field, that is `place`
 * itself. `ret_has_blank_line` may be NULL. */
struct content_place header_skip_end(struct content_place place, bool *ret_has_blank_line);
