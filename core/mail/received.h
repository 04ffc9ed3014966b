/* Received fields (RFC 5322 3.6.7), which are counted to see mail that goes round in circles. */
#pragma once

#include "core/mail/line.h"

#define RECEIVED_NAME ((struct span){"received:", 9})

/* A whole line of the header begins such a field. */
static inline bool received_is_begun(struct span line)
{
        return line.length >= RECEIVED_NAME.length && line.at[8] == ':' &&
               line_has_letters(line.at, "received");
}

/* Octets of a line of the header, `at` of which came before. *is_received: so far it begins like such a field. True
 * when these end its name. */
static inline bool received_read(bool *is_received, uint64_t at, struct span octets)
{
        bool has_ended = false;

        *is_received = *is_received || at == 0;
        for (size_t i = 0; *is_received && i < octets.length && at + i < RECEIVED_NAME.length; i++) {
                *is_received = ascii_lower(octets.at[i]) == RECEIVED_NAME.at[at + i];
                has_ended = *is_received && at + i == RECEIVED_NAME.length - 1;
        }
        return has_ended;
}
