/* Words of strangers as text of XML. */
#pragma once

#include "core/base/text.h"

/* Appends the words so that they are neither markup nor white space but the blank, and what XML cannot have is "?".
 * With `utf8` other scripts stay. */
void xml_put(struct text *out, struct span words, bool utf8);
