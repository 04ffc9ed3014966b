/* Memory by lifetime. An arena gives pieces that all end together; its blocks come from a pool, which keeps
 * them for the next arena. A pool and its arenas belong to one thread. */
#pragma once

#include "core/base/budget.h"
#include "core/base/text.h"

struct arena_block {
        struct arena_block *next;
        size_t size; /* octets that follow this header */
};

struct block_pool {
        size_t block_size; /* octets of a block with its header; larger pieces get a block of their own */
        struct arena_block *free;
        size_t free_count;
        size_t free_max;         /* more than this many unused blocks go back to the system */
        struct account *account; /* counts all blocks, in use or not; NULL: nobody does */
};

struct arena {
        struct block_pool *pool;
        struct arena_block *blocks; /* newest first */
        uint32_t used;              /* octets of the newest block */
        uint32_t total;             /* octets of all blocks */
        uint32_t limit;             /* upper bound for total */
};

/* Nobody counts its blocks, unless its account is set then. */
void block_pool_init(struct block_pool *pool, size_t block_size, size_t free_max);
/* From here on at most so many unused blocks are kept; those that are too many go back to the system at once. */
void block_pool_keep(struct block_pool *pool, size_t free_max);
/* Octets of the unused blocks. */
static inline uint64_t block_pool_unused(const struct block_pool *pool)
{
        return (uint64_t)pool->free_count * pool->block_size;
}
/* Frees the unused blocks. All arenas of the pool must have ended. */
void block_pool_end(struct block_pool *pool);

/* Takes no memory yet. `limit` bounds the octets of all blocks; a limit above 4 GB counts as 4 GB. */
void arena_init(struct arena *arena, struct block_pool *pool, size_t limit);
/* Gives all blocks back to the pool; no piece of the arena is valid any more. */
void arena_end(struct arena *arena);
/* Returns a piece that is aligned for pointers and 64-bit numbers, and not zeroed. NULL when the limit is
 * reached or memory is out, or the account's budget. */
void *arena_take(struct arena *arena, size_t size);
/* Returns a copy that lives as long as the arena, or on failure an empty span whose `at` is NULL. */
struct span arena_copy(struct arena *arena, struct span span);
