/* Finds ends of lines in few steps, however short the lines are. Inline, for it is used for every few octets. */
#pragma once

#include "core/base/octets.h"
#include "core/base/text.h"

/* Lines below this length are short. */
#define LINE_SHORT_MAX  32
#define LINE_LOOK_AHEAD 128

static inline bool line_is_end(char octet)
{
        return octet == '\r' || octet == '\n';
}

/* Eight octets, the first one lowest. */
static inline uint64_t line_load(const char *at)
{
        uint64_t octets;
        memcpy(&octets, at, sizeof octets);
        return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? octets : __builtin_bswap64(octets);
}

/* The lowest bit is in the first of the eight octets that is `octet`; 0: none is. */
static inline uint64_t line_marks(uint64_t octets, char octet)
{
        return octets_zero(octets ^ UINT64_C(0x0101010101010101) * (unsigned char)octet);
}

/* The eight octets at `at` are those of `letters`, in either case. These are letters in lower case; for another octet
 * one of the controls, or what is 0x20 less, may stand too. */
static inline bool line_has_letters(const char *at, const char *letters)
{
        return (line_load(at) | UINT64_C(0x2020202020202020)) == line_load(letters);
}

/* Where among the first `most` octets the line ends, or `most`. Both CR and LF are looked for at once, so that a flood
 * of one of them costs no search of the whole for the other at each. */
static inline size_t line_find_end(struct span input, size_t most)
{
        size_t length = 0;

        for (; most - length >= sizeof(uint64_t); length += sizeof(uint64_t)) {
                uint64_t octets = line_load(input.at + length);
                uint64_t marks = line_marks(octets, '\r') | line_marks(octets, '\n');
                if (marks != 0)
                        return length + (size_t)__builtin_ctzll(marks) / 8;
        }
        while (length < most && !line_is_end(input.at[length]))
                length++;
        return length;
}

/* What is at the front with neither CR nor LF in it. */
static inline struct span line_piece(struct span input)
{
        return span_of(input.at, line_find_end(input, input.length));
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

/* A dot at the start of a line, and a bare CR. */
static inline bool line_is_dot_cr(struct span input)
{
        return input.length > 2 && input.at[0] == '.' && input.at[1] == '\r' && input.at[2] != '\n';
}

/* There is a CR among the next eight octets, or there are fewer. */
static inline bool line_has_cr_ahead(struct span input)
{
        return input.length < sizeof(uint64_t) || line_marks(line_load(input.at), '\r') != 0;
}

/* A line at the front that is short and whole: its octets without what ends it, which *ret_end is the length of,
 * 2 for CRLF and 1 for a bare LF. */
static inline bool line_find_short(struct span input, struct span *ret_line, size_t *ret_end)
{
        size_t most = input.length < LINE_SHORT_MAX ? input.length : LINE_SHORT_MAX;
        size_t length = line_find_end(input, most);

        if (length == most)
                return false;
        *ret_line = span_of(input.at, length);
        *ret_end = input.at[length] == '\n' ? 1 : 2;
        return *ret_end == 1 || (length + 1 < input.length && input.at[length + 1] == '\n');
}

/* The length of the line at the front, without its LF, or SIZE_MAX when that is not there. */
static inline size_t line_length(struct span input)
{
        size_t length = 0, most = input.length < LINE_SHORT_MAX ? input.length : LINE_SHORT_MAX;

        for (; most - length >= sizeof(uint64_t); length += sizeof(uint64_t)) {
                uint64_t marks = line_marks(line_load(input.at + length), '\n');
                if (marks != 0)
                        return length + (size_t)__builtin_ctzll(marks) / 8;
        }
        for (; length < most; length++)
                if (input.at[length] == '\n')
                        return length;
        if (length == input.length)
                return SIZE_MAX;
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
                __builtin_memcpy(gathered + length, line.at, LINE_SHORT_MAX); /* in line, and with no check */
        else if (line.length > 0)
                memcpy(gathered + length, line.at, line.length);
        length += line.length;
        gathered[length++] = '\r';
        gathered[length++] = '\n';
        return length;
}
