/* Lists in values: words with blanks or commas between them, where a word may be in braces. */
#pragma once

#include "core/base/text.h"

/* Without blanks and ends of lines around it. */
struct span cf_trim(struct span text);
/* Cuts the next word off *rest; within braces neither blanks nor commas end it. Empty at the end. */
struct span cf_take_word(struct span *rest);
/* Of "{ text }" the text, else false. */
bool cf_unbrace(struct span word, struct span *ret_text);
/* Of "NAME=VALUE" the value, where it is that name; blanks may stand around "=". */
bool cf_assigned(struct span word, const char *name, struct span *ret_value);
/* "yes" and "no", in any letter case; what is neither is `usual`. */
bool cf_is_yes(struct span value, bool usual);
/* Seconds of "300s", "5m", "1h", "2d", "1w", or a number without a unit. */
bool cf_time(struct span value, uint64_t *ret_seconds);
