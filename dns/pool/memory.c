/* Lists of free pieces by size, filled from chunks. */
#include "dns/pool/memory.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CLASS_OCTETS 64
#define CHUNK_OCTETS 65536
#define HEADER       16 /* keeps pieces aligned */

struct piece {
        size_t size;        /* with this header; more than any class's: malloc's own */
        struct piece *next; /* of those that are free */
};

static size_t size_of(size_t octets)
{
        return (octets + HEADER + CLASS_OCTETS - 1) / CLASS_OCTETS * CLASS_OCTETS;
}

static bool is_large(size_t size)
{
        return size > (size_t)CLASS_OCTETS * DNS_MEMORY_CLASSES;
}

static struct piece *piece_cut(struct dns_memory *memory, size_t size)
{
        if (memory->left < size) {
                char *chunk = malloc(CHUNK_OCTETS);
                if (chunk == NULL)
                        return NULL;
                *(void **)chunk = memory->chunks;
                memory->chunks = chunk;
                memory->next = chunk + CLASS_OCTETS;
                memory->left = CHUNK_OCTETS - CLASS_OCTETS;
        }
        struct piece *piece = (struct piece *)memory->next;
        memory->next += size;
        memory->left -= size;
        return piece;
}

void *dns_memory_take(void *argument, size_t octets)
{
        struct dns_memory *memory = argument;
        struct piece *piece;

        if (octets > SIZE_MAX / 2)
                return NULL;
        size_t size = size_of(octets), class = size / CLASS_OCTETS - 1;
        if (is_large(size)) {
                piece = malloc(size);
        } else if ((piece = memory->free[class]) != NULL) {
                memory->free[class] = piece->next;
        } else {
                piece = piece_cut(memory, size);
        }
        if (piece == NULL)
                return NULL;
        piece->size = size;
        return (char *)piece + HEADER;
}

void dns_memory_give(void *argument, void *octets)
{
        struct dns_memory *memory = argument;

        if (octets == NULL)
                return;
        struct piece *piece = (struct piece *)((char *)octets - HEADER);
        if (is_large(piece->size)) {
                free(piece);
                return;
        }
        piece->next = memory->free[piece->size / CLASS_OCTETS - 1];
        memory->free[piece->size / CLASS_OCTETS - 1] = piece;
}

void *dns_memory_resize(void *argument, void *octets, size_t size)
{
        if (octets == NULL)
                return dns_memory_take(argument, size);
        const struct piece *piece = (const struct piece *)((char *)octets - HEADER);
        size_t room = piece->size - HEADER;
        if (size <= room)
                return octets;
        void *more = dns_memory_take(argument, size < 2 * room ? 2 * room : size);
        if (more == NULL)
                return NULL;
        memcpy(more, octets, room);
        dns_memory_give(argument, octets);
        return more;
}

void dns_memory_end(struct dns_memory *memory)
{
        while (memory->chunks != NULL) {
                void *chunk = memory->chunks;
                memory->chunks = *(void **)chunk;
                free(chunk);
        }
        *memory = (struct dns_memory){0};
}
