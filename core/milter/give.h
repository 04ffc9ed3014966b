/* Gives a message's text to a filter as fast as it takes it: fields, the end of the header, body. */
#pragma once

#include "core/milter/fields.h"
#include "core/milter/milter.h"

struct milter_giving {
        struct content_place place; /* of what is to be given next */
        bool is_in_body;
        bool lacks_blank_line; /* behind the header: a line that is no field begins the body */
        bool is_done;          /* all of it was given, or the filter has judged: milter_end() is next */
};

/* Each field is a frame, and a filter answers each: so a few octets of a client cost what thousands of its body do. */
#define MILTER_FIELDS_MAX 2000

/* `own`, here and below: octets at the front of the text that are fields of ours, which no filter is shown. */

/* The header has more fields than that. */
bool milter_has_too_many_fields(const struct content *text, size_t own);
void milter_give_begin(struct milter_giving *giving, const struct content *text, size_t own);
/* Writes as many steps as may be and have room. ANSWERED: is_done. Else WAITS: it is called again when the
 * filter has answered, or, where milter_takes_step(), when `out` has been sent. */
enum milter_event milter_give(struct milter *milter, struct milter_giving *giving, struct text *out);
