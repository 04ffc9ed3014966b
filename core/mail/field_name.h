/* Names of header fields (RFC 5322 3.6.8). */
#pragma once

#include "core/base/text.h"

/* One that may be written: printable ASCII without blanks and colons, and of at most `most` octets. */
static inline bool field_name_is_valid(struct span name, size_t most)
{
        if (name.length == 0 || name.length > most)
                return false;
        for (size_t i = 0; i < name.length; i++)
                if (name.at[i] <= ' ' || name.at[i] > '~' || name.at[i] == ':')
                        return false;
        return true;
}
