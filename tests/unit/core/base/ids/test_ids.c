/* Ids are unique, and tell nothing of each other. */
#include "core/base/ids/ids.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define WALL_MS 1767225600000 /* 2026-01-01 */
#define MANY    200000

static const struct id_key some_key = {"0123456789abcdef"}, other_key = {"0123456789abcdeg"};

static uint64_t next(struct ids *ids, int64_t wall_ms)
{
        char id[ID_TEXT_SIZE], again[ID_TEXT_SIZE];

        ids_write(ids, wall_ms, id);
        cr_assert_eq(strspn(id, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"), ID_LENGTH, "%s", id);
        cr_assert(id_read(span_from(id), again) && strcmp(id, again) == 0, "%s", id);
        return id_number(id);
}

static struct ids ids_of(const struct id_key *key, uint32_t giver, uint64_t sequence)
{
        struct ids ids;

        cr_assert(ids_init(&ids, key, giver, sequence));
        return ids;
}

static int compare(const void *left, const void *right)
{
        uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
        return a < b ? -1 : a > b;
}

/* All that is counted: the sequence beyond its end, seconds, givers. */
Test(ids, what_is_counted_once_comes_out_once)
{
        uint64_t *seen = malloc(3 * MANY * sizeof *seen);
        size_t count = 0;

        for (uint32_t giver = 0; giver < 3; giver++) {
                struct ids ids = ids_of(&some_key, giver * 60, (UINT64_C(1) << 22) - 7);
                for (size_t i = 0; i < MANY; i++)
                        seen[count++] = next(&ids, WALL_MS + (int64_t)i);
                ids_end(&ids);
        }
        qsort(seen, count, sizeof *seen, compare);
        for (size_t i = 1; i < count; i++)
                cr_assert_neq(seen[i - 1], seen[i], "twice");
        cr_expect_lt(seen[count - 1], UINT64_C(1) << 60);
        free(seen);
}

/* As processes do that live at the same time, have the same key and give very many in the same second. */
Test(ids, lanes_share_no_id_wherever_they_begin)
{
        const size_t each = MANY / ID_LANES;
        uint64_t *seen = malloc(ID_LANES * each * sizeof *seen);

        for (size_t lane = 0; lane < ID_LANES; lane++) {
                struct ids ids = ids_of(&some_key, 1, lane + ID_LANES * 100 * lane);
                for (size_t i = 0; i < each; i++)
                        seen[lane * each + i] = next(&ids, WALL_MS);
                ids_end(&ids);
        }
        qsort(seen, ID_LANES * each, sizeof *seen, compare);
        for (size_t i = 1; i < ID_LANES * each; i++)
                cr_assert_neq(seen[i - 1], seen[i], "twice");
        free(seen);
}

Test(ids, the_same_key_gives_the_same_and_another_one_does_not)
{
        struct ids ids = ids_of(&some_key, 1, 5), same = ids_of(&some_key, 1, 5),
                   other = ids_of(&other_key, 1, 5);

        for (size_t i = 0; i < 1000; i++) {
                uint64_t id = next(&ids, WALL_MS);
                cr_assert_eq(id, next(&same, WALL_MS));
                cr_assert_neq(id, next(&other, WALL_MS));
        }
        ids_end(&ids);
        ids_end(&same);
        ids_end(&other);
}

/* Of two that follow each other, or that two givers give at once, each bit differs as often as it is the same: in 100
 * 000 pairs by 1 000 at most, which is six times its standard deviation. */
static void expect_unlike(struct ids *left, struct ids *right)
{
        size_t changes[60] = {0}, pairs = 100000;

        for (size_t i = 0; i < pairs; i++) {
                uint64_t changed = next(left, WALL_MS) ^ next(right, WALL_MS);
                for (size_t bit = 0; bit < 60; bit++)
                        changes[bit] += changed >> bit & 1;
        }
        for (size_t bit = 0; bit < 60; bit++)
                cr_expect(changes[bit] > pairs / 2 - 1000 && changes[bit] < pairs / 2 + 1000, "bit %zu: %zu",
                          bit, changes[bit]);
}

Test(ids, neighbours_share_nothing)
{
        struct ids ids = ids_of(&some_key, 1, 0), other = ids_of(&some_key, 2, 1);

        expect_unlike(&ids, &ids);
        expect_unlike(&ids, &other);
        ids_end(&ids);
        ids_end(&other);
}

/* Nor do characters tell anything: each is as frequent as any other, at each place. */
Test(ids, characters_are_evenly_spread)
{
        static size_t counts[ID_LENGTH][32];
        struct ids ids = ids_of(&some_key, 3, 0);
        const size_t expected = MANY / 32;

        for (size_t i = 0; i < MANY; i++) {
                uint64_t id = next(&ids, WALL_MS);
                for (size_t place = 0; place < ID_LENGTH; place++, id >>= 5)
                        counts[place][id & 31]++;
        }
        for (size_t place = 0; place < ID_LENGTH; place++)
                for (size_t digit = 0; digit < 32; digit++)
                        cr_expect(counts[place][digit] > expected - 500 &&
                                      counts[place][digit] < expected + 500,
                                  "%zu at %zu: %zu", digit, place, counts[place][digit]);
        ids_end(&ids);
}

Test(ids, who_prepares_does_not_wait)
{
        struct ids ids = ids_of(&some_key, 1, 0);
        uint64_t seen[10 * IDS_BATCH];

        for (size_t i = 0; i < 10 * IDS_BATCH; i++) {
                ids_prepare(&ids, WALL_MS);
                cr_expect(ids.left >= IDS_BATCH && ids.left <= 2 * IDS_BATCH, "%u", ids.left);
                seen[i] = next(&ids, WALL_MS);
        }
        qsort(seen, 10 * IDS_BATCH, sizeof *seen, compare);
        for (size_t i = 1; i < 10 * IDS_BATCH; i++)
                cr_expect_neq(seen[i - 1], seen[i]);
        ids_end(&ids);
}

Test(ids, an_id_is_read_as_it_is_meant)
{
        static const struct {
                const char *text, *id;
        } cases[] = {{"1BS0T7G1VBQC", "1BS0T7G1VBQC"}, {"1bs0t7g1vbqc", "1BS0T7G1VBQC"},
                     {"lBSoT7GiVBQC", "1BS0T7G1VBQC"}, {"1BS0T7G1VBQ", NULL},
                     {"1BS0T7G1VBQCC", NULL},          {"1BS0T7G1VBQU", NULL},
                     {"1BS0T7G1VBQ-", NULL},           {"", NULL},
                     {"1BS0T7G1VB\xc3\xa9", NULL}};

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                char id[ID_TEXT_SIZE];
                bool is_read = id_read(span_from(cases[i].text), id);
                cr_expect_eq(is_read, cases[i].id != NULL, "%s", cases[i].text);
                cr_expect(!is_read || strcmp(id, cases[i].id) == 0, "%s", cases[i].text);
        }
}
