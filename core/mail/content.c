/* Message text in blocks, and the pool of unused blocks. */
#include "core/mail/content.h"

#include "core/base/expect.h"

#include <stdlib.h>

void content_pool_init(struct content_pool *pool, size_t free_max)
{
        *pool = (struct content_pool){.free_max = free_max};
}

void content_pool_keep(struct content_pool *pool, size_t free_max)
{
        pool->free_max = free_max;
        while (pool->free_count > free_max) {
                struct content_block *block = pool->free;
                pool->free = block->next;
                pool->free_count--;
                account_give_back(pool->account, CONTENT_BLOCK_SIZE);
                free(block);
        }
}

void content_pool_end(struct content_pool *pool)
{
        content_pool_keep(pool, 0);
}

static struct content_block *block_take(struct content_pool *pool)
{
        struct content_block *block = pool->free;

        if (block != NULL) {
                pool->free = block->next;
                pool->free_count--;
        } else if (!account_take(pool->account, CONTENT_BLOCK_SIZE, BUDGET_FOR_TEXT)) {
                return NULL;
        } else if ((block = malloc(CONTENT_BLOCK_SIZE)) == NULL) {
                account_give_back(pool->account, CONTENT_BLOCK_SIZE);
                return NULL;
        }
        block->next = NULL;
        block->length = 0;
        return block;
}

static bool content_grow(struct content *content, struct content_pool *pool)
{
        struct content_block *block = block_take(pool);
        if (block == NULL)
                return false;
        if (content->last == NULL)
                content->first = block;
        else
                content->last->next = block;
        content->last = block;
        return true;
}

bool content_append(struct content *content, struct content_pool *pool, struct span octets)
{
        while (octets.length > 0) {
                if (content->last == NULL || content->last->length == CONTENT_BLOCK_ROOM)
                        if (!content_grow(content, pool))
                                return false;
                struct content_block *block = content->last;
                size_t piece = CONTENT_BLOCK_ROOM - block->length;
                if (piece > octets.length)
                        piece = octets.length;
                memcpy(block->octets + block->length, octets.at, piece);
                block->length += piece;
                content->length += piece;
                octets = span_skip(octets, piece);
        }
        return true;
}

/* The first block is written anew, up to two of them; the others stay. */
bool content_insert(struct content *content, struct content_pool *pool, size_t place, struct span octets)
{
        struct content_block *first = content->first;
        struct content made = {0}, rest, old = {first, first, first == NULL ? 0 : first->length};
        struct span before = span_of(first == NULL ? NULL : first->octets, old.length);

        expect(place <= old.length);
        if (!content_append(&made, pool, span_of(before.at, place)) || !content_append(&made, pool, octets) ||
            !content_append(&made, pool, span_skip(before, place))) {
                content_release(&made, pool);
                return false;
        }
        rest =
            (struct content){first == NULL ? NULL : first->next, content->last, content->length - old.length};
        if (first != NULL)
                first->next = NULL;
        content_release(&old, pool);
        content_join(&made, &rest);
        *content = made;
        return true;
}

struct content content_detach(struct content *content)
{
        struct content detached = *content;
        *content = (struct content){0};
        return detached;
}

void content_join(struct content *content, struct content *rest)
{
        if (rest->first == NULL)
                return;
        if (content->last == NULL)
                content->first = rest->first;
        else
                content->last->next = rest->first;
        content->last = rest->last;
        content->length += rest->length;
        *rest = (struct content){0};
}

void content_release(struct content *content, struct content_pool *pool)
{
        struct content_block *block = content->first;
        while (block != NULL) {
                struct content_block *next = block->next;
                if (pool->free_count < pool->free_max) {
                        block->next = pool->free;
                        pool->free = block;
                        pool->free_count++;
                } else {
                        account_give_back(pool->account, CONTENT_BLOCK_SIZE);
                        free(block);
                }
                block = next;
        }
        *content = (struct content){0};
}
