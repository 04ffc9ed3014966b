/* The newest places are found, the oldest make room, and the memory is what was promised. */
#include "workers/policy/log_index.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define COUNT 32000

static uint64_t id(uint64_t number)
{
        return (number * number * UINT64_C(0x9e3779b97f4a7c15) ^ number) & ((UINT64_C(1) << 60) - 1);
}

Test(log_index, the_newest_are_found_and_the_oldest_make_room)
{
        struct log_index index;
        struct log_place place;
        size_t of_newest = 0, of_oldest = 0;

        cr_assert(log_index_init(&index, COUNT));
        for (uint64_t i = 0; i < UINT64_C(4) * COUNT; i++)
                log_index_put(&index, id(i), (struct log_place){(uint32_t)(i % LOG_PLACE_FILES), i << 20});
        for (uint64_t i = 0; i < UINT64_C(4) * COUNT; i++) {
                if (!log_index_find(&index, id(i), &place))
                        continue;
                cr_expect(place.offset == i << 20 && place.file == i % LOG_PLACE_FILES, "%zu", (size_t)i);
                of_newest += i >= UINT64_C(4) * COUNT - COUNT / 2;
                of_oldest += i < UINT64_C(2) * COUNT;
        }
        /* Of a bucket with 32 places sixteen ids later hardly ever fall on one that has had them all. */
        cr_expect_gt(of_newest, COUNT / 2 - COUNT / 100);
        cr_expect_lt(of_oldest, COUNT / 100);
        cr_expect_not(log_index_find(&index, id(UINT64_C(5) * COUNT), &place));
        log_index_end(&index);
}

Test(log_index, a_small_one_keeps_exactly_as_many)
{
        struct log_index index;
        struct log_place place;

        cr_assert(log_index_init(&index, 1));
        for (uint64_t i = 0; i < 33; i++)
                log_index_put(&index, id(i + 1), (struct log_place){0, i});
        cr_expect_not(log_index_find(&index, id(1), &place));
        for (uint64_t i = 1; i < 33; i++)
                cr_expect(log_index_find(&index, id(i + 1), &place) && place.offset == i);
        log_index_put(&index, id(33), (struct log_place){7, 99});
        cr_expect(log_index_find(&index, id(33), &place) && place.offset == 99 && place.file == 7,
                  "the last word");
        log_index_end(&index);
        cr_expect_not(log_index_find(&index, id(33), &place));
}
