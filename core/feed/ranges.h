/* IPv4 addresses of a feed. While it is read there are prefixes, in any order; then a table of ranges is made of
 * them that do not overlap, of 12 octets each beside an index. */
#pragma once

#include "core/feed/values.h"

struct feed_prefix {
        uint32_t address, value;
        uint8_t length;
};

struct feed_prefixes {
        struct feed_prefix *prefixes;
        size_t count, room;
};

struct feed_range {
        uint32_t first, last, value;
};

struct feed_ranges {
        struct feed_range *ranges; /* in order, with nothing twice */
        /* For each value of the highest bits of an address, the first range that does not end before. */
        uint32_t *index;
        size_t count;
        unsigned shift; /* of an address, for its place in the index */
};

/* Which of two entries for the same prefix counts. */
enum feed_twice { FEED_FIRST_COUNTS, FEED_BOTH_COUNT };

/* False when memory is out. Host bits must be zero. */
bool feed_prefixes_add(struct feed_prefixes *prefixes, uint32_t address, uint8_t length, uint32_t value);
void feed_prefixes_end(struct feed_prefixes *prefixes);

/* Makes the table and ends the prefixes. Of prefixes that an address is in, the longest counts. The memory of the
 * table, which is asked all the time, is taken by `take_memory`. False when it is out; then both have ended. */
bool feed_ranges_make(struct feed_prefixes *prefixes, enum feed_twice twice, struct feed_values *values,
                      void *(*take_memory)(size_t octets), struct feed_ranges *ret_ranges);
/* FEED_EXCLUDED: nothing is said of the address. */
uint32_t feed_ranges_find(const struct feed_ranges *ranges, uint32_t address);
size_t feed_ranges_octets(const struct feed_ranges *ranges);
void feed_ranges_end(struct feed_ranges *ranges);
