/* Pseudonyms: the same for the same, read by whoever has the key, and by nobody else. */
#include "core/base/digest/pseudonym.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define OLD "2026-11-01:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define NEW "2026-12-01:FF0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static struct pseudonym_keys keys;
static char octets[8192];
static struct text out;

static void begin(void)
{
        keys = (struct pseudonym_keys){0};
        cr_assert_null(pseudonym_keys_add(&keys, SPAN(OLD)));
        cr_assert_null(pseudonym_keys_add(&keys, SPAN(NEW)));
        text_over(&out, octets, sizeof octets);
}

TestSuite(pseudonym, .init = begin);

static struct span of_text(struct span plain, struct span domain, uint32_t day)
{
        size_t before = out.length;

        pseudonym_put_text(&out, pseudonym_key_of_day(&keys, day), PSEUDONYM_OF_MAILBOX, domain, plain);
        return span_of(out.at + before, out.length - before);
}

static void assert_reveals(struct span pseudonym, struct span context, struct span plain)
{
        size_t before = out.length;

        cr_assert_eq(pseudonym_length(pseudonym), pseudonym.length);
        cr_assert(pseudonym_reveal(&out, &keys, pseudonym, context));
        cr_expect(span_equals(span_of(out.at + before, out.length - before), plain), "%.*s",
                  (int)(out.length - before), out.at + before);
}

Test(pseudonym, texts_of_any_length_come_back)
{
        static char plain[300];

        memset(plain, 'x', sizeof plain);
        for (size_t length = 0; length < sizeof plain; length += length < 70 ? 1 : 37) {
                out.length = 0;
                assert_reveals(of_text(span_of(plain, length), SPAN("isp.example"), 20261215),
                               SPAN("ISP.example"), span_of(plain, length));
        }
        cr_expect_not(out.overflowed);
}

Test(pseudonym, addresses_come_back_and_the_form_is_stable)
{
        static const char *const addresses[] = {"192.0.2.1", "0.0.0.0", "2001:db8::1", "::1",
                                                "255.255.255.255"};

        for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
                struct address address;
                out.length = 0;
                cr_assert(address_parse(span_from(addresses[i]), &address));
                pseudonym_put_address(&out, pseudonym_key_of_day(&keys, 20261129), &address);
                if (i == 0)
                        cr_expect(span_equals(text_span(&out), SPAN("~a20261101~dqgqyzssjdxhldnvxrviuxm5i4")),
                                  "%.*s", (int)out.length, out.at);
                assert_reveals(text_span(&out), SPAN(""), span_from(addresses[i]));
        }
}

Test(pseudonym, it_is_the_same_for_the_same_and_else_another)
{
        struct span first = of_text(SPAN("alice"), SPAN("isp.example"), 20261129);

        cr_expect(span_equals(first, of_text(SPAN("alice"), SPAN("isp.example"), 20261105)));
        cr_expect(span_equals(first, of_text(SPAN("alice"), SPAN("Isp.Example"), 20261129)));
        cr_expect_not(span_equals(first, of_text(SPAN("alicf"), SPAN("isp.example"), 20261129)));
        cr_expect_not(span_equals(first, of_text(SPAN("alice"), SPAN("other.example"), 20261129)));
        cr_expect_not(span_equals(first, of_text(SPAN("alice"), SPAN("isp.example"), 20261201)));
}

Test(pseudonym, the_length_of_a_name_tells_little)
{
        cr_expect_eq(of_text(SPAN("a"), SPAN("x"), 0).length, of_text(SPAN("alice.b"), SPAN("x"), 0).length);
}

Test(pseudonym, nobody_without_the_key_and_the_context_reads_it)
{
        struct span made = of_text(SPAN("alice"), SPAN("isp.example"), 20261129);
        char changed[100];
        size_t before = out.length;

        cr_expect_not(pseudonym_reveal(&out, &keys, made, SPAN("other.example")));
        span_copy_cut(made, changed, sizeof changed);
        for (size_t i = 11; i + 1 < made.length; i++) {
                changed[i] = changed[i] == 'a' ? 'b' : 'a';
                if (changed[i] != made.at[i])
                        cr_expect_not(
                            pseudonym_reveal(&out, &keys, span_of(changed, made.length), SPAN("isp.example")),
                            "digit %zu", i);
                changed[i] = made.at[i];
        }
        keys.keys[0] = keys.keys[1];
        cr_expect_not(pseudonym_reveal(&out, &keys, made, SPAN("isp.example")));
        cr_expect_eq(out.length, before);
}

Test(pseudonym, only_what_has_its_form_is_one)
{
        static const char *const others[] = {"",
                                             "~",
                                             "~a20261129~",
                                             "~a20261129~aaaaaaaaaaaaaaaaaaaa",
                                             "~z20261129~aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                             "~a2026112x~aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                             "a~a20261129~aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                             "~a20261129~AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};

        for (size_t i = 0; i < sizeof others / sizeof *others; i++)
                cr_expect_eq(pseudonym_length(span_from(others[i])), 0, "%s", others[i]);
        cr_expect_eq(pseudonym_length(SPAN("~a20261129~aaaaaaaaaaaaaaaaaaaaaaaaaa@x")), 37);
        /* Long ones that nobody has made. */
        struct span forged =
            SPAN("~a20261101~aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
        cr_expect_not(pseudonym_reveal(&out, &keys, forged, SPAN("")));
}

Test(pseudonym, the_key_is_that_of_the_day)
{
        static const struct {
                uint32_t day, key;
        } rows[] = {{20261129, 20261101},
                    {20261130, 20261101},
                    {20261201, 20261201},
                    {20991231, 20261201},
                    {20200101, 20261101}};

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
                cr_expect_eq(pseudonym_key_of_day(&keys, rows[i].day)->day, rows[i].key);
}

Test(pseudonym, wrong_keys_are_refused)
{
        static const char *const wrong[] = {
            "",
            "2026-11-30",
            "2026-11-30:",
            "2026-11-30:abcd",
            "20261130:" NEW,
            "2026-12-02:ZZ0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
            NEW,
            OLD,
            NEW "00"};

        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
                cr_expect_not_null(pseudonym_keys_add(&keys, span_from(wrong[i])), "%s", wrong[i]);
        for (int i = 1; keys.count < PSEUDONYM_KEYS_MAX; i++) {
                char line[100];
                snprintf(line, sizeof line, "%d-01-01:%s", 2026 + i, strchr(NEW, ':') + 1);
                cr_assert_null(pseudonym_keys_add(&keys, span_from(line)));
        }
        cr_expect_not_null(pseudonym_keys_add(
            &keys, SPAN("9999-12-02:FF0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")));
}
