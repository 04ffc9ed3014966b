/* Sorted by radix, flattened by a sweep, found by an index and a few steps of a binary search. */
#include "core/feed/ranges.h"

#include <assert.h>
#include <stdlib.h>

#define FIRST_ROOM     ((size_t)1024)
#define DIGIT_BITS     11
#define DIGITS         3 /* of an address of 32 bits */
#define BUCKETS        ((size_t)1 << DIGIT_BITS)
#define DEPTH_MAX      33
#define INDEX_BITS_MIN 8
#define INDEX_BITS_MAX 22
#define INDEX_SHARE    8 /* ranges for each place of the index */

static_assert(sizeof(struct feed_prefix) == sizeof(struct feed_range), "one takes the memory of the other");

bool feed_prefixes_add(struct feed_prefixes *prefixes, uint32_t address, uint8_t length, uint32_t value)
{
        if (prefixes->count == prefixes->room) {
                size_t room = prefixes->room == 0 ? FIRST_ROOM : prefixes->room + prefixes->room / 2;
                struct feed_prefix *more = realloc(prefixes->prefixes, room * sizeof *more);
                if (more == NULL)
                        return false;
                prefixes->prefixes = more;
                prefixes->room = room;
        }
        prefixes->prefixes[prefixes->count++] = (struct feed_prefix){address, value, length};
        return true;
}

void feed_prefixes_end(struct feed_prefixes *prefixes)
{
        free(prefixes->prefixes);
        *prefixes = (struct feed_prefixes){0};
}

/* ---- order: by address, and of the same address the shorter prefix first -------------------------------- */

static bool is_before(const struct feed_prefix *left, const struct feed_prefix *right)
{
        return left->address != right->address ? left->address < right->address
                                               : left->length < right->length;
}

static bool are_sorted(const struct feed_prefixes *prefixes)
{
        for (size_t i = 1; i < prefixes->count; i++)
                if (is_before(&prefixes->prefixes[i], &prefixes->prefixes[i - 1]))
                        return false;
        return true;
}

/* Digit 0 is the length, the others are of the address. */
static size_t digit_of(const struct feed_prefix *prefix, unsigned digit)
{
        return digit == 0 ? prefix->length
                          : prefix->address >> (digit - 1) * DIGIT_BITS & (uint32_t)(BUCKETS - 1);
}

static void sort_by(const struct feed_prefix *from, struct feed_prefix *to, size_t count, unsigned digit)
{
        size_t starts[BUCKETS + 1] = {0};

        for (size_t i = 0; i < count; i++)
                starts[digit_of(&from[i], digit) + 1]++;
        for (size_t i = 0; i < BUCKETS; i++)
                starts[i + 1] += starts[i];
        for (size_t i = 0; i < count; i++)
                to[starts[digit_of(&from[i], digit)]++] = from[i];
}

/* Equal ones keep their order. `other` has the same room; which of them has the result is returned. */
static struct feed_prefix *sort(struct feed_prefixes *prefixes, struct feed_prefix *other)
{
        struct feed_prefix *from = prefixes->prefixes, *to = other;

        for (unsigned digit = 0; digit <= DIGITS; digit++) {
                sort_by(from, to, prefixes->count, digit);
                struct feed_prefix *swapped = from;
                from = to;
                to = swapped;
        }
        return from;
}

/* ---- ranges that do not overlap ------------------------------------------------------------------------- */

struct sweep {
        struct feed_range *ranges;
        size_t count, room;
        struct {
                uint32_t last, value;
        } open[DEPTH_MAX]; /* the prefixes that the place is in */
        size_t depth;
        uint64_t place; /* what is before it is told */
        bool is_out_of_memory;
};

/* Up to `last`, by what is innermost there. */
static void tell(struct sweep *sweep, uint32_t last)
{
        uint32_t value = sweep->open[sweep->depth - 1].value, first = (uint32_t)sweep->place;
        struct feed_range *before = sweep->count > 0 ? &sweep->ranges[sweep->count - 1] : NULL;

        if (sweep->place > last)
                return;
        sweep->place = (uint64_t)last + 1;
        if (value == FEED_EXCLUDED || sweep->is_out_of_memory)
                return;
        if (before != NULL && before->value == value && first > 0 && before->last == first - 1) {
                before->last = last;
                return;
        }
        if (sweep->count == sweep->room) {
                size_t room = sweep->room + sweep->room / 2 + FIRST_ROOM;
                struct feed_range *more = realloc(sweep->ranges, room * sizeof *more);
                if (more == NULL) {
                        sweep->is_out_of_memory = true;
                        return;
                }
                sweep->ranges = more;
                sweep->room = room;
        }
        sweep->ranges[sweep->count++] = (struct feed_range){first, last, value};
}

/* Closes what ends before `address`. */
static void close_before(struct sweep *sweep, uint64_t address)
{
        while (sweep->depth > 0 && sweep->open[sweep->depth - 1].last < address) {
                tell(sweep, sweep->open[sweep->depth - 1].last);
                sweep->depth--;
        }
}

static void open_prefix(struct sweep *sweep, const struct feed_prefix *prefix, uint32_t value)
{
        uint32_t host =
            prefix->length == 0 ? UINT32_MAX : (uint32_t)((UINT64_C(1) << (32 - prefix->length)) - 1);

        close_before(sweep, prefix->address);
        if (sweep->depth > 0 && prefix->address > 0)
                tell(sweep, prefix->address - 1);
        sweep->place = prefix->address;
        sweep->open[sweep->depth].last = prefix->address | host;
        sweep->open[sweep->depth++].value = value;
}

static bool is_same(const struct feed_prefix *left, const struct feed_prefix *right)
{
        return left->address == right->address && left->length == right->length;
}

static void flatten(struct sweep *sweep, const struct feed_prefix *prefixes, size_t count,
                    enum feed_twice twice, struct feed_values *values)
{
        for (size_t i = 0, next; i < count; i = next) {
                uint32_t value = prefixes[i].value;
                for (next = i + 1; next < count && is_same(&prefixes[i], &prefixes[next]); next++)
                        if (twice == FEED_BOTH_COUNT &&
                            !feed_values_join(values, value, prefixes[next].value, &value))
                                sweep->is_out_of_memory = true;
                open_prefix(sweep, &prefixes[i], value);
        }
        close_before(sweep, UINT64_MAX);
}

/* ---- index ---------------------------------------------------------------------------------------------- */

static bool make_index(struct feed_ranges *ranges, void *(*take_memory)(size_t octets))
{
        unsigned bits = INDEX_BITS_MIN;

        while (bits < INDEX_BITS_MAX && ((size_t)INDEX_SHARE << bits) < ranges->count)
                bits++;
        size_t places = (size_t)1 << bits, at = 0;
        ranges->shift = 32 - bits;
        ranges->index = take_memory((places + 1) * sizeof *ranges->index);
        if (ranges->index == NULL)
                return false;
        for (size_t i = 0; i < places; i++) {
                while (at < ranges->count && ranges->ranges[at].last < (uint64_t)i << ranges->shift)
                        at++;
                ranges->index[i] = (uint32_t)at;
        }
        ranges->index[places] = (uint32_t)ranges->count;
        return true;
}

/* Ends the sweep. */
static bool finish(struct sweep *sweep, void *(*take_memory)(size_t octets), struct feed_ranges *ret_ranges)
{
        struct feed_range *ranges = take_memory((sweep->count + 1) * sizeof *ranges);

        *ret_ranges = (struct feed_ranges){.ranges = ranges, .count = sweep->count};
        if (ranges != NULL && sweep->count > 0)
                memcpy(ranges, sweep->ranges, sweep->count * sizeof *ranges);
        free(sweep->ranges);
        if (ranges != NULL && !sweep->is_out_of_memory && sweep->count < UINT32_MAX &&
            make_index(ret_ranges, take_memory))
                return true;
        feed_ranges_end(ret_ranges);
        return false;
}

bool feed_ranges_make(struct feed_prefixes *prefixes, enum feed_twice twice, struct feed_values *values,
                      void *(*take_memory)(size_t octets), struct feed_ranges *ret_ranges)
{
        size_t room = prefixes->count + 1;
        struct feed_prefix *other = malloc(room * sizeof *other), *sorted = prefixes->prefixes;

        *ret_ranges = (struct feed_ranges){0};
        if (other == NULL) {
                feed_prefixes_end(prefixes);
                return false;
        }
        if (!are_sorted(prefixes))
                sorted = sort(prefixes, other);
        struct feed_prefix *spare = sorted == other ? prefixes->prefixes : other;
        struct sweep sweep = {.ranges = (struct feed_range *)(void *)spare,
                              .room = sorted == other ? prefixes->room : room};
        flatten(&sweep, sorted, prefixes->count, twice, values);
        free(sorted);
        *prefixes = (struct feed_prefixes){0};
        return finish(&sweep, take_memory, ret_ranges);
}

uint32_t feed_ranges_find(const struct feed_ranges *ranges, uint32_t address)
{
        if (ranges->count == 0)
                return FEED_EXCLUDED;
        const uint32_t *place = &ranges->index[address >> ranges->shift];
        size_t low = place[0], high = place[1];
        /* The first that does not end before the address: at most that of the next place. */
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                if (ranges->ranges[middle].last < address)
                        low = middle + 1;
                else
                        high = middle;
        }
        if (low == ranges->count || ranges->ranges[low].first > address)
                return FEED_EXCLUDED;
        return ranges->ranges[low].value;
}

size_t feed_ranges_octets(const struct feed_ranges *ranges)
{
        size_t places = ranges->index == NULL ? 0 : ((size_t)1 << (32 - ranges->shift)) + 1;

        return ranges->count * sizeof *ranges->ranges + places * sizeof *ranges->index;
}

void feed_ranges_end(struct feed_ranges *ranges)
{
        free(ranges->ranges);
        free(ranges->index);
        *ranges = (struct feed_ranges){0};
}
