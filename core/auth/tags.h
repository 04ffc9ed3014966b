/* Tag lists, "a=rsa-sha256; d=example.com" (RFC 6376 3.2): the form of signatures, of key records and of DMARC
 * records. */
#pragma once

#include "core/base/text.h"

struct tag {
        struct span name, value; /* without the white space around them */
        struct span raw;         /* all between "=" and ";", or the end */
};

enum tag_step {
        TAG_FOUND,
        TAG_EMPTY, /* nothing but white space stood there, as behind the last ";" */
        TAG_BAD,   /* it is no tag */
};

/* Cuts what stands before the next ";" off *rest. ret_tag is set for TAG_FOUND alone. */
enum tag_step tag_next(struct span *rest, struct tag *ret_tag);

enum tag_list { TAG_LIST_WELL, TAG_LIST_BAD, TAG_LIST_TWICE };

/* Reads the tags whose names are given, in one pass. Those that are not there have a NULL `name.at`; others are passed
 * over. A name that is given stands there twice: TAG_LIST_TWICE (3.2: then the list is invalid). */
enum tag_list tag_list_read(struct span list, const struct span *names, size_t count, struct tag *ret_tags);

static inline bool tag_is_blank(char octet)
{
        return octet == ' ' || octet == '\t' || octet == '\r' || octet == '\n';
}

/* Without folding white space at both ends. */
struct span tag_trim(struct span value);
/* Cuts what stands before the next `separator` off *rest, and returns it without the white space around it. */
struct span tag_take(struct span *rest, char separator);
/* Octets of base64 with white space anywhere (3.2). False for what is none, or more than `room`. */
bool tag_base64(struct span value, uint8_t *ret_octets, size_t room, size_t *ret_length);
