/* Records of senders: how they merge and are stored; and the memo, which asks once and remembers. */
#include "core/senders/sender.h"

#include <criterion/criterion.h>

Test(state, keys_differ_with_their_text)
{
        struct sender_key a = sender_key_of(NULL, SPAN("net:192.0.2.0/24")),
                          b = sender_key_of(NULL, SPAN("net:192.0.2.0/24 "));
        struct sender_key again = sender_key_of(NULL, SPAN("net:192.0.2.0/24"));

        cr_expect(sender_key_equals(&a, &again));
        cr_expect_not(sender_key_equals(&a, &b));
        /* Machines of a fleet, and versions of the program, must agree. */
        static const uint8_t empty[16] = {0x99, 0xaa, 0x06, 0xd3, 0x01, 0x47, 0x98, 0xd8,
                                          0x60, 0x01, 0xc3, 0x24, 0x46, 0x8d, 0x49, 0x7f};
        cr_expect_arr_eq(sender_key_of(NULL, SPAN("")).octets, empty, sizeof empty);
}

Test(state, keys_differ_with_their_secret)
{
        struct sender_secret one, other;
        sender_secret_set(&one, (const uint8_t[SENDER_SECRET_SIZE]){1});
        sender_secret_set(&other, (const uint8_t[SENDER_SECRET_SIZE]){2});
        struct sender_key plain = sender_key_of(NULL, SPAN("x")), keyed = sender_key_of(&one, SPAN("x"));
        struct sender_key differently = sender_key_of(&other, SPAN("x"));

        cr_expect_not(sender_key_has_unkeyed(&plain));
        cr_expect(sender_key_has_unkeyed(&keyed));
        cr_expect_not(sender_key_equals(&keyed, &plain));
        cr_expect_not(sender_key_equals(&keyed, &differently));
        /* Where an earlier version has put it. */
        cr_expect_arr_eq(keyed.unkeyed, plain.octets, sizeof plain.octets);
        struct sender_key again = sender_key_of(&one, SPAN("x"));
        cr_expect(sender_key_equals(&keyed, &again));
}

/* ---- shares -------------------------------------------------------------------------------------------- */

#define KEYS 20000u

static struct sender_key numbered(uint32_t number)
{
        return sender_key_of(NULL, span_of((const char *)&number, sizeof number));
}

static void place(struct sender_placing *placing, const char *const *names)
{
        memset(placing, 0, sizeof *placing);
        for (; *names != NULL; names++)
                sender_placing_add(placing, span_from(*names));
}

Test(shares, keys_are_spread_evenly_in_any_order)
{
        static const char *const names[] = {"127.0.0.1:6379", "127.0.0.1:6380", "127.0.0.1:6381", "senders",
                                            NULL};
        static const char *const others[] = {"senders", "127.0.0.1:6381", "127.0.0.1:6379", "127.0.0.1:6380",
                                             NULL};
        struct sender_placing placing, reordered;
        uint32_t counts[4] = {0};

        place(&placing, names);
        place(&reordered, others);
        for (uint32_t i = 0; i < KEYS; i++) {
                struct sender_key key = numbered(i);
                uint32_t found = sender_placing_find(&placing, key.unkeyed);
                counts[found]++;
                cr_assert_str_eq(names[found], others[sender_placing_find(&reordered, key.unkeyed)]);
        }
        for (size_t i = 0; i < 4; i++)
                cr_expect(counts[i] > KEYS / 4 * 95 / 100 && counts[i] < KEYS / 4 * 105 / 100, "%u",
                          counts[i]);
}

Test(shares, one_more_takes_its_part_and_moves_nothing_else)
{
        static const char *const before[] = {"a", "b", "c", "d", NULL};
        static const char *const after[] = {"a", "b", "new", "c", "d", NULL};
        struct sender_placing placing, grown;
        uint32_t moved = 0;

        place(&placing, before);
        place(&grown, after);
        for (uint32_t i = 0; i < KEYS; i++) {
                struct sender_key key = numbered(i);
                const char *from = before[sender_placing_find(&placing, key.unkeyed)];
                const char *to = after[sender_placing_find(&grown, key.unkeyed)];
                cr_assert(strcmp(from, to) == 0 || strcmp(to, "new") == 0, "%s to %s", from, to);
                moved += strcmp(to, "new") == 0;
        }
        cr_expect(moved > KEYS / 5 * 95 / 100 && moved < KEYS / 5 * 105 / 100, "%u", moved);
}

/* Machines of a fleet, and versions of the program, must agree. */
Test(shares, where_a_key_is_stays)
{
        static const char *const names[] = {"127.0.0.1:6379", "127.0.0.1:6380", "[::1]:6379", NULL};
        struct sender_placing placing;
        char found[17] = "";

        place(&placing, names);
        for (uint32_t i = 0; i < 16; i++)
                found[i] = (char)('0' + sender_placing_find(&placing, numbered(i).unkeyed));
        cr_expect_str_eq(found, "1100211012112210");
}

Test(shares, each_has_a_secret_of_its_own)
{
        static const char *const names[] = {"a", "b", NULL};
        struct sender_placing placing;
        struct sender_secret secrets[2];
        struct sender_source source = {0};
        struct sender_key plain = sender_source_key(&source, SPAN("x"));

        cr_expect_not(sender_key_has_unkeyed(&plain));
        place(&placing, names);
        atomic_store(&source.placing, &placing);
        for (uint8_t i = 0; i < 2; i++) {
                sender_secret_set(&secrets[i], (const uint8_t[SENDER_SECRET_SIZE]){i});
                atomic_store(&placing.shares[i].secret, &secrets[i]);
        }
        for (char text[] = "a"; text[0] <= 'z'; text[0]++) {
                struct sender_key key = sender_source_key(&source, span_from(text));
                struct sender_key own =
                    sender_key_of(&secrets[sender_placing_find(&placing, key.unkeyed)], span_from(text));
                cr_expect(sender_key_equals(&key, &own));
        }
        struct sender_key nobody = sender_source_key(NULL, SPAN("x"));
        cr_expect(sender_key_equals(&nobody, &plain));
}

/* ---- records ------------------------------------------------------------------------------------------- */

static struct sender_record merged(struct sender_record record, bool is_new, struct sender_record more)
{
        sender_merge(&record, is_new, &more);
        return record;
}

static void expect_record(struct sender_record found, uint32_t first_s, uint32_t last_s, uint32_t expires_s,
                          uint32_t count)
{
        cr_expect(found.first_s == first_s && found.last_s == last_s && found.expires_s == expires_s &&
                      found.count == count,
                  "%u %u %u %u", found.first_s, found.last_s, found.expires_s, found.count);
}

Test(state, merging_keeps_the_first_time_and_the_latest_end)
{
        expect_record(merged((struct sender_record){0}, true, (struct sender_record){10, 10, 20, 0}), 10, 10,
                      20, 0);
        expect_record(
            merged((struct sender_record){10, 10, 20, 0}, false, (struct sender_record){10, 15, 90, 1}), 10,
            15, 90, 1);
        /* In the other order it is the same. */
        expect_record(
            merged((struct sender_record){10, 15, 90, 1}, false, (struct sender_record){10, 10, 20, 0}), 10,
            15, 90, 1);
        expect_record(
            merged((struct sender_record){10, 15, 90, 3}, false, (struct sender_record){20, 20, 80, 2}), 10,
            20, 90, 5);
        /* Expired: anew. */
        expect_record(
            merged((struct sender_record){10, 15, 20, 7}, false, (struct sender_record){20, 20, 80, 0}), 20,
            20, 80, 0);
        /* Allowed by hand stays so. */
        expect_record(merged((struct sender_record){10, 10, UINT32_MAX, UINT32_MAX}, false,
                             (struct sender_record){20, 20, 80, 1}),
                      10, 20, UINT32_MAX, UINT32_MAX);
}

Test(state, records_are_stored_little_endian)
{
        static const uint8_t expected[SENDER_RECORD_SIZE] = {1, 0, 0, 0, 2,   1,   0,   0,
                                                             3, 2, 1, 0, 255, 254, 253, 252};
        const struct sender_record record = {1, 0x102, 0x10203, 0xfcfdfeff};
        uint8_t octets[SENDER_RECORD_SIZE];
        struct sender_record read;

        sender_record_write(&record, octets);
        cr_expect_arr_eq(octets, expected, sizeof expected);
        sender_record_read(octets, &read);
        expect_record(read, record.first_s, record.last_s, record.expires_s, record.count);
}

/* ---- memo ---------------------------------------------------------------------------------------------- */

struct table_source {
        struct sender_source source;
        enum fact fact;
        unsigned asked, applied;
        uint64_t handle;
};

static enum fact table_ask(struct sender_source *source, const struct sender_key *key, uint64_t handle,
                           struct sender_record *ret_record)
{
        struct table_source *table = (struct table_source *)source;

        (void)key;
        table->asked++;
        table->handle = handle;
        *ret_record = (struct sender_record){1, 2, 100, 4};
        return table->fact;
}

static void table_apply(struct sender_source *source, const struct sender_effect *effect)
{
        (void)effect;
        ((struct table_source *)source)->applied++;
}

static struct table_source table;
static struct block_pool blocks;
static struct arena arena;
static struct sender_memo memo;
static struct sender_record record;

static void memo_begin(void)
{
        table = (struct table_source){.source = {table_ask, table_apply}, .fact = FACT_PENDING};
        block_pool_init(&blocks, 4096, 4);
        arena_init(&arena, &blocks, 65536);
        sender_memo_init(&memo, &arena, &table.source, 42);
}

static void memo_end(void)
{
        arena_end(&arena);
        block_pool_end(&blocks);
}

TestSuite(sender_memo, .init = memo_begin, .fini = memo_end);

Test(sender_memo, pending_is_filed_once_and_settles_once)
{
        struct sender_key key = sender_key_of(NULL, SPAN("a")), other = sender_key_of(NULL, SPAN("b"));

        cr_expect_eq(sender_ask(&memo, &key, 50, &record), FACT_PENDING);
        cr_expect_eq(sender_ask(&memo, &key, 50, &record), FACT_PENDING);
        cr_expect_eq(table.asked, 1);
        cr_expect_eq(table.handle, 42);
        cr_expect_eq(memo.pending, 1);
        sender_settle(&memo, &other, FACT_FOUND, &(struct sender_record){0});
        cr_expect_eq(memo.pending, 1);
        sender_settle(&memo, &key, FACT_FOUND, &(struct sender_record){7, 8, 60, 9});
        sender_settle(&memo, &key, FACT_ABSENT, &(struct sender_record){0});
        cr_expect_eq(memo.pending, 0);
        cr_expect_eq(sender_ask(&memo, &key, 50, &record), FACT_FOUND);
        expect_record(record, 7, 8, 60, 9);
}

Test(sender_memo, expired_records_are_absent)
{
        struct sender_key key = sender_key_of(NULL, SPAN("a"));

        table.fact = FACT_FOUND;
        cr_expect_eq(sender_ask(&memo, &key, 99, &record), FACT_FOUND);
        cr_expect_eq(sender_ask(&memo, &key, 100, &record), FACT_ABSENT);
}

Test(sender_memo, what_was_late_once_stays_failed)
{
        struct sender_key key = sender_key_of(NULL, SPAN("a")), other = sender_key_of(NULL, SPAN("b"));

        sender_ask(&memo, &key, 50, &record);
        memo.is_late = true;
        cr_expect_eq(sender_ask(&memo, &key, 50, &record), FACT_FAILED);
        sender_settle(&memo, &key, FACT_FOUND, &(struct sender_record){7, 8, 60, 9});
        cr_expect_eq(sender_ask(&memo, &key, 50, &record), FACT_FAILED);
        cr_expect_eq(memo.failed, 1);
        cr_expect_eq(sender_ask(&memo, &other, 50, &record), FACT_FAILED);
}

Test(sender_memo, another_stage_waits_anew_but_not_for_what_was_late)
{
        struct sender_key key = sender_key_of(NULL, SPAN("a")), other = sender_key_of(NULL, SPAN("b"));

        sender_ask(&memo, &key, 50, &record);
        memo.due_ms = 1;
        memo.is_late = true;
        sender_memo_begin_stage(&memo);
        cr_expect_eq(memo.failed, 1);
        cr_expect_eq(memo.pending, 0);
        cr_expect_eq(memo.due_ms, 0);
        cr_expect_eq(sender_ask(&memo, &key, 50, &record), FACT_FAILED);
        cr_expect_eq(sender_ask(&memo, &other, 50, &record), FACT_PENDING);
        sender_memo_begin_stage(&memo);
        cr_expect_eq(sender_ask(&memo, &other, 50, &record), FACT_PENDING, "it was not late");
        cr_expect_eq(memo.failed, 1);
}

Test(sender_memo, without_a_source_all_fails_and_nothing_is_stored)
{
        struct sender_key key = sender_key_of(NULL, SPAN("a"));
        struct sender_effect effect = {.key = key};

        sender_apply(&memo, &effect);
        cr_expect_eq(table.applied, 1);
        memo.source = NULL;
        cr_expect_eq(sender_ask(&memo, &key, 50, &record), FACT_FAILED);
        sender_apply(&memo, &effect);
        cr_expect_eq(table.applied, 1);
}
