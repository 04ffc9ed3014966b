/* What is remembered of recipients: rulings and their time, who has which message, and memory that is full. */
#include "core/lookup/delivered.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <urcu/urcu-memb.h>

#define MINUTE_MS UINT64_C(60000)

static struct block_pool blocks;
static struct until_set sets[4];
static struct remembered remembered;

static void begin(void)
{
        urcu_memb_register_thread();
        block_pool_init(&blocks, 1024, 4);
        memset(sets, 0, sizeof sets);
        memset(remembered.secret.octets, 7, sizeof remembered.secret.octets);
        until_init(&remembered.delivered, sets, sizeof sets);
        remembered.rulings = rulings_create(1u << 16);
        cr_assert_not_null(remembered.rulings);
}

static void end(void)
{
        rulings_destroy(remembered.rulings);
        block_pool_end(&blocks);
        urcu_memb_unregister_thread();
}

TestSuite(rulings, .init = begin, .fini = end);

static struct key128 key_of(const char *destination, const char *recipient)
{
        const struct span parts[] = {span_from(destination), span_from(recipient)};
        return keyed_hash(&remembered.secret, parts, 2);
}

static struct ruling ruling_of(enum ruling_kind kind, uint16_t code, const char *enhanced, const char *text)
{
        struct ruling ruling = {.kind = kind, .code = code, .text_length = (uint16_t)strlen(text)};
        span_copy_cut(span_from(enhanced), ruling.enhanced, sizeof ruling.enhanced);
        memcpy(ruling.text, text, ruling.text_length);
        return ruling;
}

static bool find(struct key128 key, uint64_t now_ms, struct ruling *ret_ruling)
{
        return rulings_find(remembered.rulings, &key, now_ms, &blocks, ret_ruling);
}

Test(rulings, one_lasts_its_time_and_has_its_words)
{
        struct key128 key = key_of("lmtp://192.0.2.1:24", "bob@isp.example");
        struct ruling put = ruling_of(RULING_REFUSES, 550, "5.1.1", "who is bob?"), found;

        cr_expect_not(find(key, 1000, &found));
        rulings_put(remembered.rulings, &key, &put, 1000, MINUTE_MS);
        cr_assert(find(key, 1000 + MINUTE_MS - 1, &found));
        cr_expect_eq(found.kind, RULING_REFUSES);
        cr_expect_eq(found.code, 550);
        cr_expect_str_eq(found.enhanced, "5.1.1");
        cr_expect(span_equals(ruling_text(&found), SPAN("who is bob?")));
        cr_expect_not(find(key, 1000 + MINUTE_MS, &found));
}

Test(rulings, a_later_one_takes_its_place_and_none_is_kept_for_no_time)
{
        struct key128 key = key_of("lmtp://192.0.2.1:24", "bob@isp.example");
        struct ruling first = ruling_of(RULING_REFUSES, 550, "5.1.1", "who is bob?"), found;
        struct ruling second = ruling_of(RULING_TAKES, 250, "2.1.5", "");

        rulings_put(remembered.rulings, &key, &first, 1000, MINUTE_MS);
        rulings_put(remembered.rulings, &key, &second, 1000, 0);
        cr_assert(find(key, 1000, &found));
        cr_expect_eq(found.kind, RULING_REFUSES);
        rulings_put(remembered.rulings, &key, &second, 1000, MINUTE_MS);
        cr_assert(find(key, 1000, &found));
        cr_expect_eq(found.kind, RULING_TAKES);
}

Test(rulings, each_destination_has_its_own)
{
        struct key128 old = key_of("lmtp://192.0.2.1:24", "bob@isp.example");
        struct key128 new = key_of("lmtp://192.0.2.2:24", "bob@isp.example");
        struct key128 joined = key_of("lmtp://192.0.2.1:24b", "ob@isp.example");
        struct ruling put = ruling_of(RULING_REFUSES, 550, "5.1.1", "who is bob?"), found;

        rulings_put(remembered.rulings, &old, &put, 1000, MINUTE_MS);
        cr_expect_not(find(new, 1000, &found));
        cr_expect_not(find(joined, 1000, &found), "parts are not only joined");
}

Test(rulings, a_full_memory_forgets_what_is_not_used)
{
        struct ruling put = ruling_of(RULING_REFUSES, 550, "5.1.1", "no such mailbox"), found;
        struct key128 used = key_of("hop", "used");
        char name[16];

        rulings_put(remembered.rulings, &used, &put, 1000, MINUTE_MS);
        for (int i = 0; i < 5000; i++) {
                snprintf(name, sizeof name, "%d", i);
                struct key128 key = key_of("hop", name);
                rulings_put(remembered.rulings, &key, &put, 1000, MINUTE_MS);
                cr_assert(find(used, 1000, &found), "at %d", i);
        }
        cr_expect_lt(rulings_count(remembered.rulings), 500);
        cr_expect_gt(rulings_count(remembered.rulings), 50);
}

Test(rulings, who_has_a_message_is_known_for_its_time)
{
        struct key128 pair = key_of("sender", "alice"), other = key_of("sender", "bob");
        struct key128 text = key_of("", "text"), another = key_of("", "another");

        cr_expect_not(delivered_has_some(&remembered, &pair, 1000));
        delivered_add(&remembered, &pair, &text, 1000, 0);
        cr_expect_not(delivered_has_some(&remembered, &pair, 1000), "for no time");
        delivered_add(&remembered, &pair, &text, 1000, MINUTE_MS);
        cr_expect(delivered_has_some(&remembered, &pair, 1000));
        cr_expect(delivered_has(&remembered, &pair, &text, 1000));
        cr_expect_not(delivered_has(&remembered, &pair, &another, 1000));
        cr_expect_not(delivered_has_some(&remembered, &other, 1000));
        cr_expect_not(delivered_has(&remembered, &pair, &text, 1000 + 2 * MINUTE_MS));
}

Test(rulings, a_full_table_says_of_nobody_that_he_has_what_he_has_not)
{
        char name[16];

        for (int i = 0; i < 2000; i++) {
                snprintf(name, sizeof name, "%d", i);
                struct key128 pair = key_of("sender", name), text = key_of("", name);
                delivered_add(&remembered, &pair, &text, 1000 + (uint64_t)i, MINUTE_MS);
        }
        for (int i = 2000; i < 20000; i++) {
                snprintf(name, sizeof name, "%d", i);
                struct key128 pair = key_of("sender", name), text = key_of("", name);
                cr_assert_not(delivered_has(&remembered, &pair, &text, 1000), "%d", i);
        }
}

Test(rulings, a_hash_does_not_depend_on_pieces_or_place)
{
        char memory[KEYED_ROOM + 128];
        struct key128 whole;

        for (size_t shift = 0; shift < 64; shift += 8) {
                struct keyed *keyed = keyed_begin(memory + shift, &remembered.secret);
                for (size_t left = 1000; left > 0;) {
                        size_t piece = left < shift + 1 ? left : shift + 1;
                        static const char octets[64];
                        keyed_add(keyed, span_of(octets, piece));
                        left -= piece;
                }
                struct key128 key = keyed_end(keyed);
                if (shift == 0)
                        whole = key;
                cr_expect(key128_equals(&whole, &key), "%zu", shift);
        }
}
