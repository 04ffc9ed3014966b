/* Memory for one getdns context: it takes and gives back some forty small pieces a question, always the same
 * sizes. One thread. */
#pragma once

#include <stddef.h>

#define DNS_MEMORY_CLASSES 32 /* of 64 octets each; larger pieces are malloc's */

struct dns_memory {
        void *free[DNS_MEMORY_CLASSES];
        void *chunks;
        char *next; /* in the newest chunk */
        size_t left;
};

/* Zeroed memory is a good beginning. No piece is in use any more. */
void dns_memory_end(struct dns_memory *memory);
/* As getdns_context_create_with_extended_memory_functions() wants them; `memory` is a struct dns_memory. */
void *dns_memory_take(void *memory, size_t size);
void *dns_memory_resize(void *memory, void *piece, size_t size);
void dns_memory_give(void *memory, void *piece);
