/* The header of a message, kept as it comes, with the places of its fields: signatures stand anywhere in it and say
 * themselves which of the others they cover. */
#pragma once

#include "core/base/arena.h"

/* Of a header beyond these nothing can be judged: its signatures are "policy". */
#define AUTH_HEADER_MAX 131072 /* octets */
#define AUTH_FIELDS_MAX 512

struct auth_field {
        uint32_t at, length;  /* octets of the header, without the last CRLF */
        uint32_t name_length; /* without what stands in front of the colon; 0: it has no name */
        uint32_t value;       /* octets up to behind the colon */
};

struct auth_header {
        struct arena *arena;
        /* Found so far. What is found moves until `is_over`. */
        char *octets;
        struct auth_field *fields; /* from the top */
        uint32_t length, count;
        bool is_over; /* the empty line has come, or the end */
        bool is_too_large, is_out_of_memory;
        /* Own. */
        uint32_t room, field_room;
        uint32_t line_at;     /* where the line that is read began */
        uint64_t line_length; /* of it */
        char last;            /* octet */
};

/* Takes no memory yet. It takes at most 2 * (AUTH_HEADER_MAX + AUTH_FIELDS_MAX * sizeof(struct auth_field)) of the
 * arena, and for a usual header of 4 to 8 KiB some 20 KiB. */
void auth_header_init(struct auth_header *header, struct arena *arena);
/* Reads from the front of *octets, which it advances, to behind the empty line or to the end. */
void auth_header_read(struct auth_header *header, struct span *octets);
/* The text is at its end: what has come of the header is all there is. */
void auth_header_end(struct auth_header *header);
/* It is kept whole. */
static inline bool auth_header_is_kept(const struct auth_header *header)
{
        return !header->is_too_large && !header->is_out_of_memory;
}

static inline struct span auth_field_span(const struct auth_header *header, size_t field)
{
        return span_of(header->octets + header->fields[field].at, header->fields[field].length);
}
static inline struct span auth_field_name(const struct auth_header *header, size_t field)
{
        return span_of(header->octets + header->fields[field].at, header->fields[field].name_length);
}
/* What is behind the colon, folded as it came. */
static inline struct span auth_field_value(const struct auth_header *header, size_t field)
{
        return span_skip(auth_field_span(header, field), header->fields[field].value);
}
static inline bool auth_field_is(const struct auth_header *header, size_t field, struct span name)
{
        return header->fields[field].name_length == name.length &&
               span_equals_nocase(auth_field_name(header, field), name);
}
