/* ClientHello: the version that is told, and the lengths that are announced, in whatever pieces they come. */
#include "workers/tls/hello.h"

#include <criterion/criterion.h>

/* A ClientHello of legacy version 3.`minor`, with these octets of extensions. */
static struct span hello(char *room, char minor, struct span extensions)
{
        size_t body = 2 + 32 + 1 + 2 + 2 + 1 + 1 + 2 + extensions.length;
        char *at = room;

        memcpy(at, (char[]){1, 0, (char)(body >> 8), (char)body, 3, minor}, 6);
        memset(at + 6, 'r', 32);
        at += 38;
        memcpy(at,
               (char[]){0, 0, 2, 0x13, 0x01, 1, 0, (char)(extensions.length >> 8), (char)extensions.length},
               9);
        if (extensions.length > 0)
                memcpy(at + 9, extensions.at, extensions.length);
        return span_of(room, 4 + body);
}

Test(hello, its_version_is_the_highest_that_is_offered)
{
        char room[256];

        cr_assert_str_eq(tls_hello_version(hello(room, 1, SPAN(""))), "TLSv1");
        cr_assert_str_eq(tls_hello_version(hello(room, 2, SPAN(""))), "TLSv1.1");
        cr_assert_str_eq(tls_hello_version(hello(room, 3, SPAN(""))), "TLSv1.2");
        cr_assert_str_eq(tls_hello_version(hello(room, 3, SPAN("\0\x2b\0\5\4\3\4\3\3"))), "TLSv1.3");
        cr_assert_str_eq(tls_hello_version(hello(room, 3, SPAN("\0\x17\0\0\0\x2b\0\5\4\x7a\x7a\3\4"))),
                         "TLSv1.3", "other extensions and reserved values are passed over");
        cr_assert_str_eq(tls_hello_version(hello(room, 0, SPAN(""))), "SSLv3");
}

Test(hello, what_is_none_has_no_version)
{
        char room[256];
        struct span whole = hello(room, 3, SPAN("\0\x2b\0\5\4\3\4\3\3"));

        cr_assert_str_eq(tls_hello_version(SPAN("")), "");
        cr_assert_str_eq(tls_hello_version(SPAN("MAIL FROM:<a@b>\r\n")), "");
        cr_assert_str_eq(tls_hello_version(SPAN("\1\0\0\2\2\0")), "");
        for (size_t i = 0; i < whole.length; i++) {
                const char *version = tls_hello_version(span_of(whole.at, i));
                cr_assert(version[0] == '\0' || strcmp(version, "TLSv1.2") == 0, "cut at %zu: %s", i,
                          version);
        }
}

/* Walks in pieces of so many octets. */
static bool walks(struct span octets, size_t piece, bool seals_after_change)
{
        struct tls_walk walk = {.is_over = false};

        for (size_t at = 0; at < octets.length; at += piece) {
                size_t length = octets.length - at < piece ? octets.length - at : piece;
                if (!tls_walk(&walk, span_of(octets.at + at, length), seals_after_change))
                        return false;
        }
        return true;
}

static void expect_walk(struct span octets, bool seals_after_change, bool expected)
{
        for (size_t piece = 1; piece <= octets.length; piece++)
                cr_assert_eq(walks(octets, piece, seals_after_change), expected, "pieces of %zu", piece);
}

#define SMALL    "\x16\3\1\0\6\1\0\0\2xy"
#define LARGE    "\x16\3\1\0\6\1\0\x40\1xy"
#define IN_PARTS "\x16\3\1\0\2\1\0\x16\3\1\0\1\x41\x16\3\1\0\1\x00"
#define CHANGE   "\x14\3\3\0\1\1"

Test(hello, one_that_announces_too_much_is_seen_before_it_is_there)
{
        expect_walk(SPAN(SMALL), false, true);
        expect_walk(SPAN(LARGE), false, false);
        expect_walk(SPAN(SMALL SMALL CHANGE LARGE), false, false);
        expect_walk(SPAN(IN_PARTS), false, false);
        expect_walk(SPAN("\x16\3\1\0\6\2\0\x40\1xy"), false, true);
        expect_walk(SPAN("\x15\3\1\0\6\1\0\x40\1xy"), false, true);
}

Test(hello, what_is_sealed_is_not_looked_at)
{
        expect_walk(SPAN(SMALL CHANGE LARGE), true, true);
        expect_walk(SPAN(LARGE), true, false);
}
