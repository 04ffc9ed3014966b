/* Gives a message's text to a filter as fast as it takes it: fields, the end of the header, body. */
#pragma once

#include "core/milter/fields.h"
#include "core/milter/milter.h"

struct milter_giving {
        struct content_place place; /* of what is to be given next */
        bool is_in_body;
        bool is_done; /* all of it was given, or the filter has judged: milter_end() is next */
};

/* `own`: octets at the front of the text that are fields of ours, which no filter is shown. */
void milter_give_begin(struct milter_giving *giving, const struct content *text, size_t own);
/* Writes as many steps as may be and have room. ANSWERED: is_done. Else WAITS: it is called again when the
 * filter has answered, or, where milter_takes_step(), when `out` has been sent. */
enum milter_event milter_give(struct milter *milter, struct milter_giving *giving, struct text *out);
