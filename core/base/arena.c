/* Arenas of pooled blocks. */
#include "core/base/arena.h"

#include "core/base/address_sanitizer.h"

#include <assert.h>
#include <stdlib.h>

#define ALIGNMENT sizeof(void *) /* nothing here holds long doubles or vectors */
static_assert(sizeof(struct arena_block) % ALIGNMENT == 0, "the first piece of a block must be aligned");

void block_pool_init(struct block_pool *pool, size_t block_size, size_t free_max)
{
        *pool = (struct block_pool){.block_size = block_size, .free_max = free_max};
}

void block_pool_keep(struct block_pool *pool, size_t free_max)
{
        pool->free_max = free_max;
        while (pool->free_count > free_max) {
                struct arena_block *block = pool->free;
                pool->free = block->next;
                pool->free_count--;
                account_give_back(pool->account, pool->block_size);
                free(block);
        }
}

void block_pool_end(struct block_pool *pool)
{
        block_pool_keep(pool, 0);
}

static struct arena_block *block_take(struct block_pool *pool, size_t size)
{
        struct arena_block *block = pool->free;

        if (size < pool->block_size - sizeof *block)
                size = pool->block_size - sizeof *block;
        if (size == pool->block_size - sizeof *block && block != NULL) {
                pool->free = block->next;
                pool->free_count--;
                return block;
        }
        if (!account_take(pool->account, sizeof *block + size, BUDGET_FOR_REST))
                return NULL;
        block = malloc(sizeof *block + size);
        if (block != NULL)
                block->size = size;
        else
                account_give_back(pool->account, sizeof *block + size);
        return block;
}

static void block_give_back(struct block_pool *pool, struct arena_block *block)
{
        if (block->size != pool->block_size - sizeof *block || pool->free_count >= pool->free_max) {
                account_give_back(pool->account, sizeof *block + block->size);
                free(block);
                return;
        }
        octets_forbid(block + 1, block->size);
        block->next = pool->free;
        pool->free = block;
        pool->free_count++;
}

void arena_init(struct arena *arena, struct block_pool *pool, size_t limit)
{
        *arena = (struct arena){.pool = pool, .limit = limit > UINT32_MAX ? UINT32_MAX : (uint32_t)limit};
}

void arena_end(struct arena *arena)
{
        while (arena->blocks != NULL) {
                struct arena_block *block = arena->blocks;
                arena->blocks = block->next;
                block_give_back(arena->pool, block);
        }
        arena->used = arena->total = 0;
}

static bool arena_grow(struct arena *arena, size_t size)
{
        if (arena->total > arena->limit || size > arena->limit - arena->total)
                return false;
        struct arena_block *block = block_take(arena->pool, size);
        if (block == NULL)
                return false;
        octets_forbid(block + 1, block->size);
        block->next = arena->blocks;
        arena->blocks = block;
        arena->used = 0;
        arena->total += (uint32_t)block->size;
        return true;
}

void *arena_take(struct arena *arena, size_t size)
{
        size_t asked = size;

        size = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
        if (arena->blocks == NULL || arena->blocks->size - arena->used < size)
                if (!arena_grow(arena, size))
                        return NULL;
        char *piece = (char *)(arena->blocks + 1) + arena->used;
        arena->used += (uint32_t)size;
        octets_allow(piece, asked);
        return piece;
}

struct span arena_copy(struct arena *arena, struct span span)
{
        char *copy = arena_take(arena, span.length);
        if (copy == NULL)
                return (struct span){NULL, 0};
        if (span.length > 0)
                memcpy(copy, span.at, span.length);
        return span_of(copy, span.length);
}
