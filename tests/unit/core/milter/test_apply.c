/* What edits make of a message's text, against a model that has its header as a list of lines. The text lies in
 * blocks of any length. */
#include "core/milter/apply.h"

#include <criterion/criterion.h>

#define ROOM      65536
#define LINES_MAX 256

static struct block_pool blocks;
static struct arena arena;
static struct content_pool pool;
static struct milter_edits edits;

static void begin(void)
{
        block_pool_init(&blocks, 4096, 4);
        arena_init(&arena, &blocks, 1u << 20);
        content_pool_init(&pool, 16);
        milter_edits_begin(&edits, &arena, &pool, NULL, ROOM);
}

static void end(void)
{
        milter_edits_end(&edits);
        arena_end(&arena);
        content_pool_end(&pool);
        block_pool_end(&blocks);
}

/* A block has so many octets at most. */
static struct content content_of(struct span text, size_t most)
{
        struct content content = {0};

        while (text.length > 0) {
                struct content block = {0};
                size_t length = text.length < most ? text.length : most;
                cr_assert(content_append(&block, &pool, span_of(text.at, length)));
                if (content.last == NULL)
                        content.first = block.first;
                else
                        content.last->next = block.first;
                content.last = block.last;
                content.length += length;
                text = span_skip(text, length);
        }
        return content;
}

static void put_content(struct text *text, const struct content *content)
{
        size_t length = 0;

        for (const struct content_block *block = content->first; block != NULL; block = block->next) {
                text_put(text, span_of(block->octets, block->length));
                length += block->length;
        }
        cr_expect_eq(length, content->length);
}

static void expect_applied(struct span text, size_t own, struct span expected)
{
        static const size_t cuts[] = {SIZE_MAX, 1, 2, 7};
        static char octets[ROOM];

        for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
                struct content given = content_of(text, cuts[i]), made;
                struct text got;
                text_over(&got, octets, sizeof octets);
                cr_assert(milter_apply(&edits, &given, own, &made, &pool));
                put_content(&got, &made);
                cr_expect(span_equals(text_span(&got), expected), "in pieces of %zu\n%.*s\nfor\n%.*s",
                          cuts[i], (int)got.length, got.at, (int)expected.length, expected.at);
                content_release(&given, &pool);
                content_release(&made, &pool);
        }
}

/* ---- the model ----------------------------------------------------------------------------------------- */

struct line {
        char name; /* all names are one letter */
        uint32_t number;
        bool is_received, is_deleted;
        uint32_t value; /* all values are numbers, 0 is none */
};

struct model {
        struct line lines[LINES_MAX], added[LINES_MAX];
        size_t count, added_count;
};

static void model_insert(struct model *model, uint32_t index, struct line line)
{
        size_t place = index == 0 ? 0 : index - 1;

        place = place < model->count ? place : model->count;
        memmove(model->lines + place + 1, model->lines + place, (model->count - place) * sizeof line);
        model->lines[place] = line;
        model->count++;
}

static void model_change(struct model *model, struct line line)
{
        for (size_t i = 0; i < model->count; i++) {
                struct line *found = &model->lines[i];
                if (!found->is_received || found->name != line.name || found->number != line.number)
                        continue;
                found->value = line.value;
                found->is_deleted = line.value == 0;
                return;
        }
        for (size_t i = 0; i < model->added_count; i++)
                if (model->added[i].name == line.name && model->added[i].number == line.number)
                        model->added[i].is_deleted = true;
        line.is_deleted = line.value == 0;
        model->added[model->added_count++] = line;
}

static void put_lines(struct text *text, const struct line *lines, size_t count)
{
        for (size_t i = 0; i < count; i++)
                if (!lines[i].is_deleted)
                        text_printf(text, "%c: %u\r\n", lines[i].name, lines[i].value);
}

static uint32_t draw(uint32_t *seed, uint32_t below)
{
        *seed = *seed * 1664525 + 1013904223;
        return (*seed >> 16) % below;
}

static void edit_both(struct model *model, uint32_t *seed, uint32_t value)
{
        char name = (char)('A' + draw(seed, 3)), octets[16];
        uint32_t index = draw(seed, 6);
        struct line line = {.name = name, .value = value};
        enum milter_edit_kind kind = (enum milter_edit_kind)draw(seed, 3);
        struct text text;

        text_over(&text, octets, sizeof octets);
        if (kind == MILTER_CHANGES_FIELD && draw(seed, 3) == 0)
                line.value = 0;
        else
                text_put_number(&text, value);
        cr_assert_eq(milter_edit_field(&edits, kind, index, span_of(&name, 1), text_span(&text), false),
                     MILTER_EDIT_TAKEN);
        if (kind == MILTER_ADDS_FIELD)
                model->added[model->added_count++] = line;
        else if (kind == MILTER_INSERTS_FIELD)
                model_insert(model, index, line);
        else {
                line.number = index == 0 ? 1 : index;
                model_change(model, line);
        }
}

static void receive(struct model *model, uint32_t *seed, struct text *text)
{
        uint32_t numbers[3] = {0}, count = draw(seed, 6);

        for (uint32_t i = 0; i < count; i++) {
                uint32_t kind = draw(seed, 3);
                struct line line = {
                    .name = (char)('A' + kind), .number = ++numbers[kind], .is_received = true};
                line.value = 100 + i;
                model->lines[model->count++] = line;
        }
        put_lines(text, model->lines, model->count);
}

Test(apply, does_as_the_model_does, .init = begin, .fini = end)
{
        static char given_octets[ROOM], expected_octets[ROOM];
        uint32_t seed = 20261129;

        for (unsigned round = 0; round < 3000; round++) {
                struct model model = {0};
                struct text given, expected;
                text_over(&given, given_octets, sizeof given_octets);
                text_over(&expected, expected_octets, sizeof expected_octets);
                text_put_string(&given, "A: own\r\n");
                text_put_string(&expected, "A: own\r\n");
                receive(&model, &seed, &given);
                text_put_string(&given, "\r\nbody\r\n");
                for (uint32_t i = draw(&seed, 8); i > 0; i--)
                        edit_both(&model, &seed, i);
                put_lines(&expected, model.lines, model.count);
                put_lines(&expected, model.added, model.added_count);
                text_put_string(&expected, "\r\nbody\r\n");
                expect_applied(text_span(&given), 8, text_span(&expected));
                end();
                begin();
        }
}

/* ---- forms of messages --------------------------------------------------------------------------------- */

static void add(const char *name, const char *value)
{
        cr_assert_eq(
            milter_edit_field(&edits, MILTER_ADDS_FIELD, 0, span_from(name), span_from(value), false),
            MILTER_EDIT_TAKEN);
}

static void change(uint32_t index, const char *name, const char *value)
{
        cr_assert_eq(
            milter_edit_field(&edits, MILTER_CHANGES_FIELD, index, span_from(name), span_from(value), false),
            MILTER_EDIT_TAKEN);
}

Test(apply, changes_nothing_without_edits, .init = begin, .fini = end)
{
        static const char *const texts[] = {
            "A: 1\r\n\r\nbody\r\n",
            "A: 1\r\n b\r\n\tc\r\n\r\n",
            "\r\nbody\r\n",
            "\r\n",
        };
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
                expect_applied(span_from(texts[i]), 0, span_from(texts[i]));
}

Test(apply, puts_an_empty_line_in_front_of_what_is_no_field, .init = begin, .fini = end)
{
        expect_applied(SPAN("no field\r\nA: 1\r\n\r\n"), 0, SPAN("\r\nno field\r\nA: 1\r\n\r\n"));
        expect_applied(SPAN("A: 1\r\nno field\r\nB: 2\r\n"), 0, SPAN("A: 1\r\n\r\nno field\r\nB: 2\r\n"));
        expect_applied(SPAN(": no name\r\n"), 0, SPAN("\r\n: no name\r\n"));
        expect_applied(SPAN("A\r\n: 1\r\n"), 0, SPAN("\r\nA\r\n: 1\r\n"));
}

Test(apply, ends_a_header_that_has_no_end, .init = begin, .fini = end)
{
        expect_applied(SPAN(""), 0, SPAN("\r\n"));
        expect_applied(SPAN("A: 1\r\n"), 0, SPAN("A: 1\r\n\r\n"));
        add("B", "2");
        expect_applied(SPAN(""), 0, SPAN("B: 2\r\n\r\n"));
        expect_applied(SPAN("A: 1\r\n"), 6, SPAN("A: 1\r\nB: 2\r\n\r\n"));
}

Test(apply, takes_folded_fields_whole, .init = begin, .fini = end)
{
        change(1, "subject", "");
        change(2, "x-a", "new\n\tlines");
        expect_applied(
            SPAN("X-A: 1\r\n\tX-A: no\r\nSubject: a\r\n b\r\n c\r\nX-a : 2\r\n 3\r\nTo: b\r\n\r\nbody\r\n"),
            0, SPAN("X-A: 1\r\n\tX-A: no\r\nx-a: new\r\n\tlines\r\nTo: b\r\n\r\nbody\r\n"));
}

Test(apply, puts_a_new_body_behind_the_header, .init = begin, .fini = end)
{
        cr_assert_eq(milter_edit_body(&edits, SPAN("new\n")), MILTER_EDIT_TAKEN);
        cr_assert_eq(milter_edit_body_end(&edits), MILTER_EDIT_TAKEN);
        expect_applied(SPAN("A: 1\r\n\r\nold\r\n"), 0, SPAN("A: 1\r\n\r\nnew\r\n"));
        expect_applied(SPAN("A: 1\r\nno field\r\n\r\nold\r\n"), 0, SPAN("A: 1\r\n\r\nnew\r\n"));
}

Test(apply, takes_no_block_where_memory_is_out, .init = begin, .fini = end)
{
        static struct budget budget;
        struct account account = {.budget = &budget};
        struct content text = content_of(SPAN("A: 1\r\n\r\nbody\r\n"), SIZE_MAX), made = {0};
        struct content_pool poor;

        budget_set(&budget, 1, 50);
        content_pool_init(&poor, 0);
        poor.account = &account;
        cr_expect_not(milter_apply(&edits, &text, 0, &made, &poor));
        cr_expect(made.first == NULL && account.held == 0);
        content_release(&text, &pool);
        content_pool_end(&poor);
}
