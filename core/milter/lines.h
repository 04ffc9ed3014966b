/* Lines of what filters say, which end them with LF or with CRLF, and the last one sometimes too. */
#pragma once

#include "core/base/text.h"

/* Cuts the first one off, without its end. */
static inline struct span milter_take_line(struct span *rest)
{
        size_t end = span_find(*rest, '\n');
        struct span line = span_of(rest->at, end == SIZE_MAX ? rest->length : end);

        *rest = span_skip(*rest, end == SIZE_MAX ? rest->length : end + 1);
        if (end != SIZE_MAX && line.length > 0 && line.at[line.length - 1] == '\r')
                line.length--;
        return line;
}
