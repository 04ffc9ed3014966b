/* The text of a message as a chain of blocks, and the blocks that are not in use. */
#pragma once

#include "core/base/text.h"

/* With its header; a block holds CONTENT_BLOCK_ROOM octets. */
#define CONTENT_BLOCK_SIZE 16384
#define CONTENT_BLOCK_ROOM (CONTENT_BLOCK_SIZE - sizeof(struct content_block))

struct content_block {
        struct content_block *next;
        size_t length;
        char octets[];
};

/* Text as a chain of blocks: CRLF line ends, dots unstuffed, Received field first. */
struct content {
        struct content_block *first, *last;
        size_t length; /* octets in the chain */
};

/* Unused blocks; belongs to one thread. */
struct content_pool {
        struct content_block *free;
        size_t free_count, free_max;
};

void content_pool_init(struct content_pool *pool, size_t free_max);
void content_pool_end(struct content_pool *pool);
/* False when memory ran out; the octets that fitted stay appended. */
bool content_append(struct content *content, struct content_pool *pool, struct span octets);
/* Empties `content` and returns what it held. */
struct content content_detach(struct content *content);
void content_release(struct content *content, struct content_pool *pool);
