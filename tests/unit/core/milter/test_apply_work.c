/* What edits of a long header cost, counted in comparisons of names: a text of tiny fields and a filter that wants much
 * changed may not hold a worker. */
#include "core/milter/apply.h"

#include <criterion/criterion.h>
#include <strings.h>

#define FIELDS 100000u

static uint64_t compared;

int __real_strncasecmp(const char *left, const char *right, size_t length);
int __wrap_strncasecmp(const char *left, const char *right, size_t length);
bool __real_span_equals_nocase(struct span left, struct span right);
bool __wrap_span_equals_nocase(struct span left, struct span right);

int __wrap_strncasecmp(const char *left, const char *right, size_t length)
{
        compared++;
        return __real_strncasecmp(left, right, length);
}

bool __wrap_span_equals_nocase(struct span left, struct span right)
{
        compared++;
        return __real_span_equals_nocase(left, right);
}

/* Fields, and changes of them, have names of three letters each. */
static void put_name(struct text *text, uint32_t number)
{
        for (unsigned i = 0; i < 3; i++, number /= 26)
                text_put_char(text, (char)('a' + number % 26));
}

static struct content long_header(struct content_pool *pool, uint32_t names)
{
        struct content content = {0};
        char octets[16];
        struct text line;

        for (uint32_t i = 0; i < FIELDS; i++) {
                text_over(&line, octets, sizeof octets);
                put_name(&line, i % names);
                text_put_string(&line, ":\r\n");
                cr_assert(content_append(&content, pool, text_span(&line)));
        }
        return content;
}

static void want_changes(struct milter_edits *edits, uint32_t names)
{
        char octets[16];
        struct text name;

        for (uint32_t i = 0; i < MILTER_EDITS_MAX; i++) {
                text_over(&name, octets, sizeof octets);
                put_name(&name, i % names);
                cr_assert_eq(milter_edit_field(edits, MILTER_CHANGES_FIELD, i / names + 1, text_span(&name),
                                               SPAN("x"), false),
                             MILTER_EDIT_TAKEN);
        }
}

/* Changes of so many names, in a header whose fields have so many. */
static void expect_bounded(uint32_t changed_names, uint32_t names)
{
        struct block_pool blocks;
        struct arena arena;
        struct content_pool pool;
        struct milter_edits edits;
        struct content made;

        block_pool_init(&blocks, 4096, 4);
        arena_init(&arena, &blocks, 1u << 20);
        content_pool_init(&pool, 16);
        milter_edits_begin(&edits, &arena, &pool, NULL, 0);
        struct content text = long_header(&pool, names);
        want_changes(&edits, changed_names);
        compared = 0;
        cr_assert(milter_apply(&edits, &text, 0, &made, &pool));
        cr_expect(compared > 0);
        cr_expect_lt(compared, 12 * FIELDS, "%lu comparisons of names for %u fields", compared, FIELDS);
        cr_expect_eq(made.length, text.length + (uint64_t)MILTER_EDITS_MAX * 2 + 2, "not all are changed");
        content_release(&text, &pool);
        content_release(&made, &pool);
        milter_edits_end(&edits);
        arena_end(&arena);
        content_pool_end(&pool);
        block_pool_end(&blocks);
}

Test(apply_work, is_bounded_where_each_change_has_a_name)
{
        expect_bounded(MILTER_EDITS_MAX, 2000);
}

Test(apply_work, is_bounded_where_all_changes_are_of_one_name)
{
        expect_bounded(1, 1);
}

Test(apply_work, is_bounded_where_no_field_is_changed_by_most)
{
        expect_bounded(8, 100);
}
