/* Spans and texts: numbers, UTF-8, JSON, bounds. */
#include "core/base/text.h"

#include <criterion/criterion.h>

#define S(literal) span_of(literal, sizeof(literal) - 1)

Test(text, numbers_are_all_digits_and_fit)
{
        const struct {
                struct span text;
                bool is_number;
                uint64_t number;
        } cases[] = {
            {SPAN("0"), true, 0},
            {SPAN("18446744073709551615"), true, UINT64_MAX},
            {SPAN("18446744073709551616"), false, 7},
            {SPAN(""), false, 7},
            {SPAN("-1"), false, 7},
            {SPAN(" 1"), false, 7},
            {SPAN("1x"), false, 7},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                uint64_t number = 7;
                cr_expect_eq(span_number(cases[i].text, &number), cases[i].is_number, "%zu", i);
                cr_expect_eq(number, cases[i].number, "%zu", i);
        }
}

Test(text, octets_of_hexadecimal_digits)
{
        static const char *const wrong[] = {"", "0", "00fF1", "00fF100", "00fF1g", "00f 10", "0x0010"};
        uint8_t octets[3];

        cr_assert(span_hex(SPAN("00fF1a"), octets, sizeof octets));
        cr_expect(octets[0] == 0x00 && octets[1] == 0xff && octets[2] == 0x1a);
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
                cr_expect_not(span_hex(span_from(wrong[i]), octets, sizeof octets), "%s", wrong[i]);
}

Test(text, utf8_is_well_formed_by_rfc_3629)
{
        const struct {
                struct span text;
                bool is_utf8;
        } cases[] = {
            {SPAN(""), true},
            {SPAN("abc"), true},
            {SPAN("\xc3\xb6"), true},
            {SPAN("\xe2\x82\xac"), true},
            {SPAN("\xf0\x9f\x98\x80"), true},
            {SPAN("\xf4\x8f\xbf\xbf"), true},
            {SPAN("\xc0\x80"), false},         /* overlong */
            {SPAN("\xe0\x80\xaf"), false},     /* overlong */
            {SPAN("\xf0\x80\x80\xaf"), false}, /* overlong */
            {SPAN("\xed\xa0\x80"), false},     /* surrogate */
            {SPAN("\xf4\x90\x80\x80"), false}, /* above U+10FFFF */
            {SPAN("\xf5\x80\x80\x80"), false},
            {SPAN("\x80"), false},
            {SPAN("\xc3"), false}, /* cut */
            {SPAN("\xe2\x82"), false},
            {SPAN("a\xff"), false},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                cr_expect_eq(span_is_utf8(cases[i].text), cases[i].is_utf8, "%zu", i);
}

Test(text, json_is_one_line_whatever_comes)
{
        char octets[200];
        struct text text;

        text_over(&text, octets, sizeof octets);
        text_put_json(&text, S("a\"b\\c\r\n\t\0\x7f\xff\xc3\xb6"));
        struct span expected = S("\"a\\\"b\\\\c\\u000d\\u000a\\u0009\\ufffd\\u007f\\u00ff\xc3\xb6\"");
        cr_expect(span_equals(text_span(&text), expected), "%.*s", (int)text.length, text.at);
}

/* U+0085, U+009F, U+00AD, U+200B, U+2028, U+202E, U+2066, U+FEFF, U+E0041, U+1D173; U+1F600 and U+00A0 are
 * seen. */
Test(text, what_turns_or_hides_text_is_escaped)
{
        char octets[200];
        struct text text;
        struct span tricks = S("\xc2\x85\xc2\x9f\xc2\xad\xe2\x80\x8b\xe2\x80\xa8\xe2\x80\xae\xe2\x81\xa6\xef"
                               "\xbb\xbf\xf3\xa0\x81\x81"
                               "\xf0\x9d\x85\xb3\xf0\x9f\x98\x80\xc2\xa0");

        text_over(&text, octets, sizeof octets);
        text_put_json(&text, tricks);
        struct span expected =
            S("\"\\u0085\\u009f\\u00ad\\u200b\\u2028\\u202e\\u2066\\ufeff\\udb40\\udc41\\ud834\\udd73"
              "\xf0\x9f\x98\x80\xc2\xa0\"");
        cr_expect(span_equals(text_span(&text), expected), "%.*s", (int)text.length, text.at);
        text.length = 0;
        text_put_printable(&text, tricks, true);
        cr_expect(span_equals(text_span(&text), S("??????????\xf0\x9f\x98\x80\xc2\xa0")), "%.*s",
                  (int)text.length, text.at);
}

Test(text, printable_text_has_no_controls_and_no_broken_utf8)
{
        char octets[100];
        struct text text;

        text_over(&text, octets, sizeof octets);
        text_put_printable(&text, S("a\r\n\0\xff\xc3\xb6"), false);
        cr_expect(span_equals(text_span(&text), S("a?????\?")), "%.*s", (int)text.length, text.at);
        text.length = 0;
        text_put_printable(&text, S("a\r\xff\xc3\xb6"), true);
        cr_expect(span_equals(text_span(&text), S("a??\xc3\xb6")), "%.*s", (int)text.length, text.at);
}

Test(text, what_does_not_fit_is_left_out_whole)
{
        char octets[4];
        struct text text;

        text_over(&text, octets, sizeof octets);
        text_put_string(&text, "abc");
        text_put_string(&text, "de");
        cr_expect(text.overflowed && span_equals(text_span(&text), S("abc")));
        text_put_number(&text, 7);
        cr_expect(span_equals(text_span(&text), S("abc7")));
}

Test(text, hexadecimal_and_lower_case)
{
        char octets[16];
        struct text text;

        text_over(&text, octets, sizeof octets);
        text_put_hex(&text, (const uint8_t[]){0, 0x9a, 0xff}, 3);
        text_put_lower(&text, S("-AZ@[az"));
        cr_expect(span_equals(text_span(&text), S("009aff-az@[az")));
}

Test(text, lower_case_as_far_as_it_fits)
{
        char octets[3];
        struct text text;

        text_over(&text, octets, sizeof octets);
        text_put_lower(&text, S("ABCD"));
        cr_expect(text.overflowed && span_equals(text_span(&text), S("abc")));
}

Test(text, lower_case_of_every_octet)
{
        char octets[256], lower[256];
        struct text text;

        for (int i = 0; i < 256; i++)
                octets[i] = (char)i;
        text_over(&text, lower, sizeof lower);
        text_put_lower(&text, span_of(octets, sizeof octets));
        cr_expect(!text.overflowed && text.length == sizeof octets);
        for (int i = 0; i < 256; i++)
                cr_expect_eq(lower[i], ascii_lower((char)i), "%d", i);
}

/* Eight octets are looked at together: each place of the one that counts, in texts of each length. */
Test(text, one_octet_of_many)
{
        static const unsigned char found[] = {0x00, 0x1f, 0x7f, 0x80, 0xff}, others[] = {0x20, 'a', 0x7e};
        char octets[20];

        for (size_t length = 0; length < sizeof octets; length++) {
                for (size_t i = 0; i < length; i++)
                        octets[i] = (char)others[i % sizeof others];
                cr_expect(span_is_ascii(span_of(octets, length)) &&
                          !span_has_control(span_of(octets, length)));
                for (size_t at = 0; at < length; at++) {
                        char before = octets[at];
                        for (size_t i = 0; i < sizeof found; i++) {
                                octets[at] = (char)found[i];
                                cr_expect_eq(span_is_ascii(span_of(octets, length)), found[i] < 0x80);
                                cr_expect_eq(span_has_control(span_of(octets, length)), found[i] < 0x80);
                        }
                        octets[at] = before;
                }
        }
}

Test(text, letters)
{
        for (int i = 0; i < 256; i++)
                cr_expect_eq(ascii_is_alpha((char)i), (i >= 'a' && i <= 'z') || (i >= 'A' && i <= 'Z'), "%d",
                             i);
}

Test(text, spans)
{
        cr_expect(span_starts_nocase(S("MaIl From"), S("mail")));
        cr_expect(!span_starts_nocase(S("ma"), S("mail")));
        cr_expect(span_ends_nocase(S("x.EXAMPLE"), S(".example")));
        cr_expect_eq(span_find(S("abc"), 'z'), SIZE_MAX);
        cr_expect_eq(span_find_last(S("a.b.c"), '.'), 3);
        cr_expect_eq(span_skip(S("abc"), 9).length, 0);
        struct span rest = S("one  three");
        cr_expect(span_equals(span_take_word(&rest), S("one")));
        cr_expect(span_equals(span_take_word(&rest), S("")));
        cr_expect(span_equals(span_take_word(&rest), S("three")));
        cr_expect_eq(span_take_word(&rest).length + rest.length, 0);
        cr_expect(span_equals(span_trim(S(" \ta b\t ")), S("a b")));
}
