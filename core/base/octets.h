/* Eight octets at a time, in an integer. */
#pragma once

#include <stdint.h>

#define OCTETS_HIGH_BITS UINT64_C(0x8080808080808080)

/* High bits of those that are zero (and of some above such a one). */
static inline uint64_t octets_zero(uint64_t octets)
{
        return (octets - 0x0101010101010101) & ~octets & OCTETS_HIGH_BITS;
}

/* The same of those less than 0x20. */
static inline uint64_t octets_below_space(uint64_t octets)
{
        return (octets - 0x2020202020202020) & ~octets & OCTETS_HIGH_BITS;
}

/* The seven lower bits of each, plus what takes 'A' or '[' to 0x80, tell where it stands; what is above ASCII
 * stays. */
static inline uint64_t octets_lower(uint64_t octets)
{
        uint64_t low = octets & ~OCTETS_HIGH_BITS;
        uint64_t from_a = low + 0x3f3f3f3f3f3f3f3f, beyond_z = low + 0x2525252525252525;
        return octets | (from_a & ~beyond_z & ~octets & OCTETS_HIGH_BITS) >> 2;
}
