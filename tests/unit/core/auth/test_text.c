/* Tag lists, base64, headers, and the canonical forms of fields and bodies (RFC 6376 3.2, 3.4). */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "core/auth/body.h"
#include "core/auth/tags.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* ---- tags ---------------------------------------------------------------------------------------------- */

static const struct {
        const char *list, *a, *b; /* NULL: it is not there */
        enum tag_list expected;
} lists[] = {
    {"a=1; b=2", "1", "2", TAG_LIST_WELL},
    {"a=1;b=2;", "1", "2", TAG_LIST_WELL},
    {" a = 1 x\r\n\ty ; b=\r\n ", "1 x\r\n\ty", "", TAG_LIST_WELL},
    {"a=b=c; z_9=;", "b=c", NULL, TAG_LIST_WELL},
    {"a=1; b=2; a=1", "1", "2", TAG_LIST_TWICE},
    {"x=1; x=2; a=3", "3", NULL, TAG_LIST_WELL}, /* of names that nobody asks for */
    {"A=1; b=2", NULL, "2", TAG_LIST_WELL},
    {"a=1;; b=2", "1", NULL, TAG_LIST_BAD},
    {"a; b=2", NULL, NULL, TAG_LIST_BAD},
    {"=1; b=2", NULL, NULL, TAG_LIST_BAD},
    {"1a=1", NULL, NULL, TAG_LIST_BAD},
    {"a-b=1", NULL, NULL, TAG_LIST_BAD},
    {"a=\x01", NULL, NULL, TAG_LIST_BAD},
    {"a=\x7f", NULL, NULL, TAG_LIST_BAD},
    {"", NULL, NULL, TAG_LIST_WELL},
};

static void check_tag(const struct tag *tag, const char *expected, const char *list)
{
        cr_assert_eq(tag->name.at != NULL, expected != NULL, "%s", list);
        cr_assert(expected == NULL || span_equals(tag->value, span_from(expected)), "%s", list);
}

Test(auth_text, tag_lists)
{
        static const struct span names[] = {{"a", 1}, {"b", 1}};
        struct tag tags[2];

        for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
                enum tag_list found = tag_list_read(span_from(lists[i].list), names, 2, tags);
                cr_assert_eq(found, lists[i].expected, "%s", lists[i].list);
                if (found == TAG_LIST_TWICE)
                        continue;
                check_tag(&tags[0], lists[i].a, lists[i].list);
                check_tag(&tags[1], lists[i].b, lists[i].list);
        }
}

static const struct {
        const char *digits, *expected; /* NULL: none */
} base64s[] = {
    {"", ""},
    {"Zg==", "f"},
    {"Zm8=", "fo"},
    {"Zm9v", "foo"},
    {"Z m\r\n 9\tv", "foo"},
    {"Zg", "f"},
    {"Zg=", NULL},
    {"Zg===", NULL},
    {"Z", NULL},
    {"Zm9vY", NULL},
    {"Zm9v!", NULL},
    {"=Zg=", NULL},
    {"Zg==Zg==", NULL},
    {"Zm9v=", NULL},
    {"Zm9vYmFy", "foobar"},
    {"Zm9vYmFyYg==", NULL}, /* it is longer than the room */
};

Test(auth_text, base64)
{
        uint8_t octets[6];
        size_t length;

        for (size_t i = 0; i < sizeof base64s / sizeof *base64s; i++) {
                bool is_good = tag_base64(span_from(base64s[i].digits), octets, sizeof octets, &length);
                cr_assert_eq(is_good, base64s[i].expected != NULL, "%s", base64s[i].digits);
                cr_assert(!is_good ||
                          span_equals(span_of((char *)octets, length), span_from(base64s[i].expected)));
        }
}

/* ---- bodies -------------------------------------------------------------------------------------------- */

static const struct {
        const char *body, *simple, *relaxed;
} bodies[] = {
    {"", "\r\n", ""},
    {"\r\n", "\r\n", ""},
    {"\r\n\r\n\r\n", "\r\n", ""},
    {" \t \r\n\r\n", " \t \r\n", ""},
    {" C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n"}, /* RFC 6376 3.4.5 */
    {"a", "a\r\n", "a\r\n"},
    {"a\r\n\r\nb\r\n", "a\r\n\r\nb\r\n", "a\r\n\r\nb\r\n"},
    {"a\r\n \r\n\t\r\nb", "a\r\n \r\n\t\r\nb\r\n", "a\r\n\r\n\r\nb\r\n"},
    {"a\r\n \r\n\t\r\n", "a\r\n \r\n\t\r\n", "a\r\n"},
    {"a \rb\r\n", "a \rb\r\n", "a \rb\r\n"}, /* a CR alone ends nothing */
    {"a \r \n", "a \r \n\r\n", "a \r \n\r\n"},
    {"a\r", "a\r\r\n", "a\r\r\n"},
    {"a \r", "a \r\r\n", "a \r\r\n"},
    {"\r\r\n", "\r\r\n", "\r\r\n"},
    {"\ra", "\ra\r\n", "\ra\r\n"},
    {"a\n\n", "a\n\n\r\n", "a\n\n\r\n"},
    {"  a  b  \r\n", "  a  b  \r\n", " a b\r\n"},
    {"0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 x  y\r\n",
     "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 x  y\r\n",
     "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 x y\r\n"},
};

static void check_body(const char *body, const char *expected, enum canon canon, size_t cut)
{
        uint8_t digest[AUTH_DIGEST_SIZE];
        struct body_digest found;
        struct span rest = span_from(body);

        body_digest_init(&found, canon);
        while (rest.length > 0) {
                struct span piece = span_of(rest.at, cut < rest.length ? cut : rest.length);
                body_digest_add(&found, piece);
                rest = span_skip(rest, piece.length);
        }
        body_digest_end(&found);
        SHA256((const unsigned char *)expected, strlen(expected), digest);
        cr_assert_eq(found.length, strlen(expected), "%s: %zu, %zu", body, found.length, cut);
        cr_assert_eq(memcmp(found.digest, digest, sizeof digest), 0, "%s in %zu", body, cut);
}

Test(auth_text, bodies)
{
        for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
                for (size_t cut = 1; cut < 90; cut++) {
                        check_body(bodies[i].body, bodies[i].simple, CANON_SIMPLE, cut);
                        check_body(bodies[i].body, bodies[i].relaxed, CANON_RELAXED, cut);
                }
}

/* As RFC 6376 3.4.4 has it, in the plainest way. */
static size_t relax_plainly(const char *body, size_t length, char *ret_relaxed)
{
        size_t used = 0, end = 0;

        for (size_t i = 0; i < length; i++) {
                if (body[i] == ' ' || body[i] == '\t') {
                        if (used == 0 || ret_relaxed[used - 1] != ' ')
                                ret_relaxed[used++] = ' ';
                } else if (body[i] == '\r' && i + 1 < length && body[i + 1] == '\n') {
                        used -= used > 0 && ret_relaxed[used - 1] == ' ';
                        ret_relaxed[used++] = '\r';
                        ret_relaxed[used++] = '\n';
                        i++;
                } else {
                        ret_relaxed[used++] = body[i];
                        end = used;
                }
        }
        memcpy(ret_relaxed + end, "\r\n", 2);
        return end > 0 ? end + 2 : 0;
}

/* Any text: blocks, ends of pieces and blanks in every place. */
Test(auth_text, relaxed_bodies_at_random)
{
        static const char alphabet[] = "aaaaaaaabb  \t\r\r\n";
        char body[300], relaxed[310];
        uint32_t random = 1;

        for (unsigned round = 0; round < 20000; round++) {
                size_t length = 0;
                while (length + 4 < sizeof body - 100 * (round % 3)) {
                        random = random * 1664525u + 1013904223u;
                        char octet = alphabet[(random >> 16) % (sizeof alphabet - 1)];
                        if (octet == '\n')
                                body[length++] = '\r';
                        body[length++] = octet;
                }
                memcpy(body + length, "x\0", 2); /* no blank at the end: what it is there, is told above */
                relaxed[relax_plainly(body, length + 1, relaxed)] = '\0';
                check_body(body, relaxed, CANON_RELAXED, 1 + (random >> 8) % 299);
        }
}

/* ---- header -------------------------------------------------------------------------------------------- */

static struct block_pool pool;
static struct arena arena;

static void begin(void)
{
        block_pool_init(&pool, 16384, 4);
        arena_init(&arena, &pool, 1 << 20);
}

static void end(void)
{
        arena_end(&arena);
        block_pool_end(&pool);
}

static void check_fields(const char *text, size_t cut)
{
        static const char *const names[] = {"A", "b", "", "C"};
        static const char *const values[] = {" X", " Y\r\n\tZ  ", "no field", ""};
        struct span rest = span_from(text);
        struct auth_header header;

        auth_header_init(&header, &arena);
        while (rest.length > 0 && !header.is_over) {
                struct span piece = span_of(rest.at, cut < rest.length ? cut : rest.length), left = piece;
                auth_header_read(&header, &left);
                rest = span_skip(rest, piece.length - left.length);
        }
        cr_assert(span_equals(rest, SPAN("body\r\n")));
        cr_assert(header.is_over && auth_header_is_kept(&header) && header.count == 4);
        for (size_t i = 0; i < header.count; i++) {
                cr_assert(span_equals(auth_field_name(&header, i), span_from(names[i])), "%zu", i);
                cr_assert(span_equals(auth_field_value(&header, i), span_from(values[i])), "%zu", i);
        }
        cr_assert(auth_field_is(&header, 1, SPAN("B")) && !auth_field_is(&header, 1, SPAN("BB")));
}

Test(auth_text, fields, .init = begin, .fini = end)
{
        for (size_t cut = 1; cut < 50; cut++)
                check_fields("A: X\r\nb \t: Y\r\n\tZ  \r\nno field\r\nC:\r\n\r\nbody\r\n", cut);
}

Test(auth_text, header_without_end, .init = begin, .fini = end)
{
        struct span text = SPAN("A: X\r\nB: Y");
        struct auth_header header;

        auth_header_init(&header, &arena);
        auth_header_read(&header, &text);
        auth_header_end(&header);
        cr_assert(header.is_over && header.count == 2);
        cr_assert(span_equals(auth_field_span(&header, 1), SPAN("B: Y")));
}

/* RFC 6376 3.4.5: both forms of a header. */
Test(auth_text, fields_in_canonical_form, .init = begin, .fini = end)
{
        static const char *const forms[] = {"A: X\r\nB : Y\t\r\n\tZ  \r\n", "a:X\r\nb:Y Z\r\n"};
        struct span text = SPAN("A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\n");
        uint8_t found[AUTH_DIGEST_SIZE], expected[AUTH_DIGEST_SIZE];
        struct field_digest digest;
        struct auth_header header;

        auth_header_init(&header, &arena);
        auth_header_read(&header, &text);
        for (enum canon canon = CANON_SIMPLE; canon <= CANON_RELAXED; canon++) {
                field_digest_init(&digest);
                field_digest_add(&digest, &header, 0, canon);
                field_digest_add(&digest, &header, 1, canon);
                field_digest_end(&digest, found);
                SHA256((const unsigned char *)forms[canon], strlen(forms[canon]), expected);
                cr_assert_eq(memcmp(found, expected, sizeof found), 0, "%d", canon);
        }
}

/* More octets, and more fields, than are kept: the end is found nevertheless, and memory stays within its bound. */
Test(auth_text, too_much, .init = begin, .fini = end)
{
        static const char *const lines[] = {"a:b\r\n",
                                            "X-Long: 0123456789012345678901234567890123456789\r\n"};

        for (size_t i = 0; i < 2; i++) {
                struct auth_header header;
                auth_header_init(&header, &arena);
                for (size_t count = 0; count < 100000; count++) {
                        struct span line = span_from(lines[i]);
                        auth_header_read(&header, &line);
                }
                struct span last = SPAN("\r\nbody");
                auth_header_read(&header, &last);
                cr_assert(header.is_over && header.is_too_large && span_equals(last, SPAN("body")));
                cr_assert(header.length <= AUTH_HEADER_MAX && header.count <= AUTH_FIELDS_MAX);
        }
        cr_assert_lt(arena.total,
                     4 * (AUTH_HEADER_MAX + AUTH_FIELDS_MAX * sizeof(struct auth_field)) + 65536);
}

/* No memory is no crash, and no verdict. */
Test(auth_text, out_of_memory)
{
        struct span text = SPAN("A: X\r\n\r\nbody");
        struct auth_header header;

        block_pool_init(&pool, 16384, 4);
        arena_init(&arena, &pool, 100);
        auth_header_init(&header, &arena);
        auth_header_read(&header, &text);
        cr_assert(header.is_over && header.is_out_of_memory && !auth_header_is_kept(&header));
        cr_assert(span_equals(text, SPAN("body")));
        end();
}
