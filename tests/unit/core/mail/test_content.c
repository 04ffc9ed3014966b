/* Octets that come to stand in front of a text that is whole. */
#include "core/mail/content.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct content_pool pool;

/* A text of so many octets, each of them of its place. */
static struct content make(size_t length)
{
        struct content content = {0};

        for (size_t i = 0; i < length; i++) {
                char octet = (char)('a' + i % 23);
                cr_assert(content_append(&content, &pool, span_of(&octet, 1)));
        }
        return content;
}

static void expect_inserted(const struct content *content, size_t length, size_t place, struct span octets)
{
        size_t at = 0;

        cr_assert_eq(content->length, length + octets.length);
        for (const struct content_block *block = content->first; block != NULL; block = block->next)
                for (size_t i = 0; i < block->length; i++, at++) {
                        size_t old = at < place ? at : at - octets.length;
                        char expected = at >= place && at < place + octets.length ? octets.at[at - place]
                                                                                  : (char)('a' + old % 23);
                        cr_assert_eq(block->octets[i], expected, "octet %zu of %zu", at, length);
                }
        cr_assert_eq(at, content->length);
        cr_assert_null(content->last == NULL ? NULL : content->last->next);
}

Test(content, octets_are_put_in_at_any_place_of_the_first_block)
{
        static const size_t lengths[] = {0, 1, 100, CONTENT_BLOCK_ROOM, CONTENT_BLOCK_ROOM + 1, 50000};
        static char field[CONTENT_BLOCK_ROOM + 10];

        memset(field, '!', sizeof field);
        content_pool_init(&pool, 0);
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
                for (size_t j = 0; j < 3; j++) {
                        size_t most = lengths[i] < CONTENT_BLOCK_ROOM ? lengths[i] : CONTENT_BLOCK_ROOM;
                        size_t place = j == 0 ? 0 : j == 1 ? most / 2 : most;
                        struct span octets = span_of(field, j == 1 ? sizeof field : 7);
                        struct content content = make(lengths[i]);
                        cr_assert(content_insert(&content, &pool, place, octets));
                        expect_inserted(&content, lengths[i], place, octets);
                        cr_assert(content_append(&content, &pool, SPAN("z")));
                        content_release(&content, &pool);
                }
        content_pool_end(&pool);
}

Test(content, without_memory_nothing_is_put_in)
{
        struct budget budget = {0};
        struct account account = {.budget = &budget};

        budget_set(&budget, 0, 90);
        content_pool_init(&pool, 0);
        struct content content = make(CONTENT_BLOCK_ROOM);
        pool.account = &account;
        struct content_block *first = content.first;
        cr_assert_not(content_insert(&content, &pool, 5, SPAN("field")));
        cr_assert(content.first == first && content.length == CONTENT_BLOCK_ROOM);
        pool.account = NULL;
        content_release(&content, &pool);
        content_pool_end(&pool);
}
