/* A message on its way from a session to the store: its envelope and its text. The session owns it until it
 * wishes to store it. From then on, until the report has come, a delivery thread may read all of it, and it
 * takes the blocks of the text. */
#pragma once

#include "conf/snapshot.h"

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
};

void content_pool_init(struct content_pool *pool, size_t free_max);
void content_pool_end(struct content_pool *pool);
/* Appends the octets. False when memory is out; the octets that had room stay appended. */
bool content_append(struct content *content, struct content_pool *pool, struct span octets);
/* Empties `content` and returns what it held; the blocks are the caller's. */
struct content content_detach(struct content *content);
/* Gives the blocks back to the pool. */
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
