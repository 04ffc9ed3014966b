/* Finds ends of lines in few steps, however short the lines are. Inline, for it is used for every few octets. */
#pragma once

#include "core/base/text.h"

/* Lines below this length are short. */
#define LINE_SHORT_MAX  32
#define LINE_LOOK_AHEAD 128

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

/* The same with the CRs in it that surely are bare. */
static inline struct span line_piece_with_crs(struct span input)
{
        struct span piece = line_piece(input);

        while (piece.length + 1 < input.length && input.at[piece.length] == '\r' &&
               input.at[piece.length + 1] != '\n')
                piece.length += 1 + line_piece(span_skip(input, piece.length + 1)).length;
        return piece;
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

/* The length of a line at the front in which nothing is to be seen, with its CRLF: no dot at the start, no other
 * CR or LF. 0: there is none. */
static inline size_t line_plain_length(struct span input)
{
        struct span line;
        size_t end;

        if (input.length == 0 || input.at[0] == '.')
                return 0;
        if (line_find_short(input, &line, &end))
                return end == 2 ? line.length + 2 : 0;
        size_t lf = span_find(input, '\n');
        return lf == SIZE_MAX || lf == 0 || span_find(span_of(input.at, lf), '\r') != lf - 1 ? 0 : lf + 1;
}

/* As far as a look tells, the next lines are plain. */
static inline bool line_is_plain_ahead(struct span input)
{
        size_t most = input.length < LINE_LOOK_AHEAD ? input.length : LINE_LOOK_AHEAD;

        for (size_t at = 0; at < most; at++)
                if (input.at[at] == '\n' && (at == 0 || input.at[at - 1] != '\r' ||
                                             (at + 1 < input.length && input.at[at + 1] == '.')))
                        return false;
        return true;
}

/* Appends a short line of `input` with CRLF to what is gathered, and returns the new length. More octets than the
 * line's are copied where that is possible, for it takes fewer steps: LINE_SHORT_MAX + 2 must have room. */
static inline size_t line_gather(struct span line, struct span input, char *gathered, size_t length)
{
        if (input.length >= LINE_SHORT_MAX + 1)
                memcpy(gathered + length, line.at, LINE_SHORT_MAX);
        else if (line.length > 0)
                memcpy(gathered + length, line.at, line.length);
        length += line.length;
        gathered[length++] = '\r';
        gathered[length++] = '\n';
        return length;
}
