/* Fields where they lie. */
#include "core/milter/fields.h"

#include <criterion/criterion.h>

static void expect_fields(const char *text, const char *expected)
{
        struct content content = {0};
        struct content_pool pool;
        char octets[4096];
        struct field field;
        struct text got;

        content_pool_init(&pool, 1);
        text_over(&got, octets, sizeof octets);
        cr_assert(content_append(&content, &pool, span_from(text)));
        struct content_place place = content_begin(&content);
        for (; field_read(place, &field); place = content_skip(place, field.length)) {
                text_put(&got, field_name(&field));
                text_printf(&got, " %zu %zu,", field.value, field.length);
        }
        cr_expect(span_equals(text_span(&got), span_from(expected)), "%s: %.*s", text, (int)got.length,
                  got.at);
        content_release(&content, &pool);
        content_pool_end(&pool);
}

Test(fields, are_found)
{
        expect_fields("", "");
        expect_fields("\r\n", "");
        expect_fields("A:1\r\n\r\nB:2\r\n", "A 2 5,");
        expect_fields("A: 1\r\n b\r\n\tc\r\nB: 2\r\n", "A 2 14,B 2 6,");
        expect_fields("A \t: 1\r\nB:", "A 4 8,B 2 2,");
        expect_fields("A:\r\n \r\n\r\n", "A 2 7,");
        expect_fields(" A: 1\r\n", "");
        expect_fields(": 1\r\n", "");
        expect_fields("From me\r\nA: 1\r\n", "");
        expect_fields("A: 1\r\nno field\r\nB: 2\r\n", "A 2 6,");
        expect_fields("A\xe4: 1\r\n", "");
}

Test(fields, have_names_of_bounded_length)
{
        static char octets[1002];
        struct content content = {0};
        struct content_pool pool;
        struct field field;

        content_pool_init(&pool, 1);
        memset(octets, 'a', sizeof octets);
        octets[998] = ':';
        cr_assert(content_append(&content, &pool, span_of(octets, 999)));
        cr_expect(field_read(content_begin(&content), &field) && field.name_length == 998);
        content_release(&content, &pool);
        octets[998] = 'a';
        octets[999] = ':';
        cr_assert(content_append(&content, &pool, span_of(octets, 1000)));
        cr_expect_not(field_read(content_begin(&content), &field));
        content_release(&content, &pool);
        content_pool_end(&pool);
}

Test(fields, end_at_a_blank_line_in_any_blocks)
{
        struct content first = {0}, second = {0};
        struct content_pool pool;
        bool has_blank_line = false;

        content_pool_init(&pool, 2);
        cr_assert(content_append(&first, &pool, SPAN("\r")) &&
                  content_append(&second, &pool, SPAN("\nbody")));
        first.first->next = second.first;
        struct content_place place = header_skip_end(content_begin(&first), &has_blank_line);
        cr_expect(has_blank_line && span_equals(content_piece(place), SPAN("body")));
        first.last = second.last;
        content_release(&first, &pool);
        content_pool_end(&pool);
}
