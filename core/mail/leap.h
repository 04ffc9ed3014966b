/* Leaps over short lines, sixteen octets at a time: of lines of two or three octets there may be half a million in a
 * message. Inline, for each user has its own notion of what it must not leap over. */
#pragma once

#include "core/base/text.h"

#define LEAP_STEP       16
#define LEAP_LOOK_AHEAD 2   /* octets behind a step that are looked at, too */
#define LEAP_STEPS_MAX  255 /* the lines in each of the columns are counted in eight bits */
#define LEAP_LINE_MAX   32  /* two steps: each ends a line, so that none is longer, its end included */

typedef uint8_t leap_octets __attribute__((vector_size(LEAP_STEP)));

struct leap {
        size_t length, lines;
};

static inline leap_octets leap_load(const char *at)
{
        leap_octets octets;
        memcpy(&octets, at, sizeof octets);
        return octets;
}

/* All bits of each octet that is `octet`. */
static inline leap_octets leap_is(leap_octets octets, char octet)
{
        return (leap_octets)(octets == (uint8_t)octet);
}

/* The same for a letter, given in lower case, in either case. */
static inline leap_octets leap_is_letter(leap_octets octets, char letter)
{
        return leap_is(octets | 0x20, letter);
}

static inline leap_octets leap_is_blank(leap_octets octets)
{
        return leap_is(octets, ' ') | leap_is(octets, '\t');
}

static inline bool leap_any(leap_octets octets)
{
        uint64_t halves[2];
        memcpy(halves, &octets, sizeof halves);
        return (halves[0] | halves[1]) != 0;
}

/* `input` begins with the LF of the line before. Returns the length of the whole lines behind it of which nothing
 * matters, and how many they are. matters() is given the start of a step, which may be that LF, and sees itself
 * whether an octet begins a line; it may look ahead. */
static inline __attribute__((always_inline)) struct leap leap_lines(struct span input,
                                                                    leap_octets (*matters)(const char *at))
{
        leap_octets columns = {0};
        struct leap leap = {0};

        for (int step = 0; step < LEAP_STEPS_MAX; step++) {
                if (input.length < leap.length + LEAP_STEP + LEAP_LOOK_AHEAD)
                        break;
                leap_octets ends = leap_is(leap_load(input.at + leap.length + 1), '\n');
                if (!leap_any(ends) || leap_any(matters(input.at + leap.length)))
                        break;
                columns -= ends;
                leap.length += LEAP_STEP;
        }
        while (input.at[leap.length] != '\n')
                leap.length--;
        for (int i = 0; i < LEAP_STEP && leap.length > 0; i++)
                leap.lines += columns[i];
        return leap;
}

/* ---- leap.c: of text, behind the LF that `input` begins with */

enum leap_over {
        LEAP_BODY,
        LEAP_FIELDS, /* of a header: no line that may be its end, a Received field or a Message-ID */
        LEAP_BLANKS  /* folded lines with nothing but blanks in them */
};

/* A line of a header may be a Received field or a Message-ID, by its first two octets. */
static inline bool leap_may_be_field(const char *line)
{
        char first = ascii_lower(line[0]);
        return (first == 'r' || first == 'm') && ascii_lower(line[1]) == 'e';
}

/* Lines that end in CRLF and have no other CR or LF, nor a dot at the start. */
struct leap leap_plain_lines(struct span input, enum leap_over over);
/* Lines that end in a bare LF and have no CR. `has_lone_dots`: in a body a line may be a dot. */
struct leap leap_bare_lines(struct span input, enum leap_over over, bool has_lone_dots);
/* Writes such lines with CRLF; of two dots at the start of one, one goes. As a leap found them, they lie between a LF
 * and more octets. `mended` has room for twice their length; returns what they come to. */
size_t leap_mend(struct span lines, char *mended);
