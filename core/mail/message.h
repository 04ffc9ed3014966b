/* A message on its way from a session to the store: envelope and text. The session owns it until it wishes to
 * store it; from then to the report the delivery thread may read all of it and takes the blocks of its
 * text. */
#pragma once

#include "conf/snapshot.h"

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

struct recipient {
        struct recipient *next;
        struct span address; /* as the client gave it, without brackets */
        /* local part as delivered: unquoted, folded, without extension; any octet may occur */
        struct span mailbox;
        const struct domain *domain;
        bool is_postmaster;
};

struct message {
        char id[16];        /* terminated; also in Received and in the log */
        struct span sender; /* without brackets; empty: the null sender */
        struct recipient *recipients;
        size_t recipient_count; /* at least 1 when it is to be stored */
        struct content content; /* what has not been handed over yet */
        enum newline_form newline;
};

enum store_outcome {
        STORE_DONE,   /* every recipient has it, durably */
        STORE_FULL,   /* no space, no quota: nobody has it */
        STORE_FAILED, /* any other reason: nobody has it */
};
