/* Memory for one getdns context, which takes and gives back some forty small pieces for each question, always
 * of the same sizes. What grows is given double the room, because getdns asks for ten more of a list at a time, and a
 * stranger's record has 60 000 strings: so what is copied grows with them, not with their square. It belongs to one
 * thread. */
#pragma once

#include <stddef.h>

#define DNS_MEMORY_CLASSES 32 /* of 64 octets each; larger pieces are malloc's */

struct dns_memory {
        void *free[DNS_MEMORY_CLASSES];
        void *chunks;
        char *next; /* in the newest chunk */
        size_t left;
};

/* Frees all of it; no piece may be in use any more. A dns_memory of zeros is ready for use. */
void dns_memory_end(struct dns_memory *memory);
/* These have the form that getdns_context_create_with_extended_memory_functions() wants. `memory` is a struct
 * dns_memory. */
void *dns_memory_take(void *memory, size_t size);
void *dns_memory_resize(void *memory, void *piece, size_t size);
void dns_memory_give(void *memory, void *piece);
