/* Finds ends of lines in few steps, however short the lines are. Inline, for it is used for every few octets. */
#pragma once

#include "core/base/text.h"

/* Lines below this length are short. */
#define LINE_SHORT_MAX 32

static inline bool line_is_end(char octet)
{
        return octet == '\r' || octet == '\n';
}

/* One of eight octets is `octet`. */
static inline bool line_has(uint64_t octets, char octet)
{
        uint64_t other = octets ^ UINT64_C(0x0101010101010101) * (unsigned char)octet;
        return ((other - UINT64_C(0x0101010101010101)) & ~other & UINT64_C(0x8080808080808080)) != 0;
}

/* What is at the front with neither CR nor LF in it. Both are looked for at once, so that a flood of one of them
 * costs no search of the whole for the other at each. */
static inline struct span line_piece(struct span input)
{
        size_t length = 0;
        uint64_t octets;

        if (input.length > 0 && line_is_end(input.at[0]))
                return span_of(input.at, 0);
        for (; input.length - length >= sizeof octets; length += sizeof octets) {
                memcpy(&octets, input.at + length, sizeof octets);
                if (line_has(octets, '\r') || line_has(octets, '\n'))
                        break;
        }
        while (length < input.length && !line_is_end(input.at[length]))
                length++;
        return span_of(input.at, length);
}

/* A line at the front that is short and whole: its octets without what ends it, which *ret_end is the length of,
 * 2 for CRLF and 1 for a bare LF. */
static inline bool line_find_short(struct span input, struct span *ret_line, size_t *ret_end)
{
        size_t length = 0, most = input.length < LINE_SHORT_MAX ? input.length : LINE_SHORT_MAX;

        while (length < most && !line_is_end(input.at[length]))
                length++;
        if (length == most)
                return false;
        *ret_line = span_of(input.at, length);
        *ret_end = input.at[length] == '\n' ? 1 : 2;
        return *ret_end == 1 || (length + 1 < input.length && input.at[length + 1] == '\n');
}

/* The length of the line at the front, without its LF, or SIZE_MAX when that is not there. */
static inline size_t line_length(struct span input)
{
        size_t length = 0;

        while (length < LINE_SHORT_MAX && length < input.length && input.at[length] != '\n')
                length++;
        if (length < LINE_SHORT_MAX)
                return length < input.length ? length : SIZE_MAX;
        size_t more = span_find(span_skip(input, length), '\n');
        return more == SIZE_MAX ? SIZE_MAX : length + more;
}
