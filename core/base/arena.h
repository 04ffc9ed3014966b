/* Memory by lifetime: an arena gives pieces that end together, out of blocks that a pool keeps for the next
 * arena. A pool and its arenas belong to one thread. */
#pragma once

#include "core/base/text.h"

struct arena_block {
        struct arena_block *next;
        size_t size; /* octets that follow this header */
};

struct block_pool {
        size_t block_size; /* octets of a block with its header; larger pieces get a block of their own */
        struct arena_block *free;
        size_t free_count;
        size_t free_max; /* more than this many unused blocks go back to the system */
};

struct arena {
        struct block_pool *pool;
        struct arena_block *blocks; /* newest first */
        uint32_t used;              /* octets of the newest block */
        uint32_t total;             /* octets of all blocks */
        uint32_t limit;             /* upper bound for total */
};

void block_pool_init(struct block_pool *pool, size_t block_size, size_t free_max);
/* All arenas of the pool must have ended. */
void block_pool_end(struct block_pool *pool);

/* Limits above 4 GB are 4 GB. */
void arena_init(struct arena *arena, struct block_pool *pool, size_t limit);
void arena_end(struct arena *arena);
/* Aligned for pointers and 64-bit numbers, not zeroed. NULL when the limit or the memory is reached. */
void *arena_take(struct arena *arena, size_t size);
/* A copy that lives as long as the arena. On failure an empty span with at == NULL. */
struct span arena_copy(struct arena *arena, struct span span);
