/* How octets of the other side arrive in a dialogue: whole, one by one, or in pieces of random lengths. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum cutting { CUT_WHOLE, CUT_OCTETS, CUT_PIECES };

/* The next number; the one before it is not 0. */
static inline uint32_t random_next(uint32_t *random)
{
        *random ^= *random << 13;
        *random ^= *random >> 17;
        *random ^= *random << 5;
        return *random;
}

/* Of so many octets, those that arrive next. */
static inline size_t cut_length(enum cutting cutting, uint32_t *random, size_t length)
{
        size_t most = length;

        if (cutting == CUT_OCTETS)
                most = 1;
        if (cutting == CUT_PIECES)
                most = 1 + random_next(random) % 40;
        return most < length ? most : length;
}
