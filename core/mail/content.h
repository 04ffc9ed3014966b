/* The text of a message as a chain of blocks, and the blocks that are not in use. */
#pragma once

#include "core/base/budget.h"
#include "core/base/text.h"

/* A block has this size with its header, and room for CONTENT_BLOCK_ROOM octets of text. */
#define CONTENT_BLOCK_SIZE 16384
#define CONTENT_BLOCK_ROOM (CONTENT_BLOCK_SIZE - sizeof(struct content_block))

struct content_block {
        struct content_block *next;
        size_t length;
        char octets[];
};

/* Text as a chain of blocks. It begins with the Received field, its lines end with CRLF, and its dots are no
 * longer doubled (RFC 5321 4.5.2). */
struct content {
        struct content_block *first, *last;
        size_t length; /* octets in the chain */
};

/* Unused blocks of one thread. */
struct content_pool {
        struct content_block *free;
        size_t free_count, free_max;
        struct account *account; /* counts all blocks, in use wherever they are, or not; NULL: nobody does */
};

void content_pool_init(struct content_pool *pool, size_t free_max);
void content_pool_end(struct content_pool *pool);
/* From here on at most so many unused blocks are kept; those that are too many go back to the system at once. */
void content_pool_keep(struct content_pool *pool, size_t free_max);
/* Octets of the unused blocks. */
static inline uint64_t content_pool_unused(const struct content_pool *pool)
{
        return (uint64_t)pool->free_count * CONTENT_BLOCK_SIZE;
}
/* Appends the octets. False when memory is out, or the account's budget; the octets that had room stay appended. */
bool content_append(struct content *content, struct content_pool *pool, struct span octets);
/* Puts the octets in at a place in the first block, or at its end. False when memory is out; then nothing was. */
bool content_insert(struct content *content, struct content_pool *pool, size_t place, struct span octets);
/* Empties `content` and returns what it held; the blocks are the caller's. */
struct content content_detach(struct content *content);
/* Appends what `rest` holds, and empties it; no octet is copied. */
void content_join(struct content *content, struct content *rest);
/* Gives the blocks back to the pool. */
void content_release(struct content *content, struct content_pool *pool);
