/* Pieces of an arena that is never full. */
#include "workers/cli/import/keep.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK_SIZE  ((size_t)256 << 10)
#define MEMORY_SIZE ((size_t)3 << 30)

void keep_init(struct keep *keep)
{
        block_pool_init(&keep->pool, BLOCK_SIZE, 0);
        arena_init(&keep->arena, &keep->pool, MEMORY_SIZE);
}

void keep_end(struct keep *keep)
{
        arena_end(&keep->arena);
        block_pool_end(&keep->pool);
}

void *keep_take(struct keep *keep, size_t size)
{
        void *piece = arena_take(&keep->arena, size == 0 ? 1 : size);

        if (piece == NULL) {
                fputs("gatepost: out of memory\n", stderr);
                exit(EXIT_FAILURE);
        }
        return memset(piece, 0, size);
}

struct span keep_span(struct keep *keep, struct span text)
{
        char *copy = keep_take(keep, text.length + 1);

        if (text.length > 0)
                memcpy(copy, text.at, text.length);
        return span_of(copy, text.length);
}

struct span keep_lower(struct keep *keep, struct span text)
{
        struct text lower;

        text_over(&lower, keep_take(keep, text.length + 1), text.length);
        text_put_lower(&lower, text);
        return text_span(&lower);
}

struct span keep_format(struct keep *keep, const char *format, ...)
{
        va_list arguments, again;

        va_start(arguments, format);
        va_copy(again, arguments);
        int length = vsnprintf(NULL, 0, format, arguments);
        va_end(arguments);
        size_t size = length < 0 ? 0 : (size_t)length;
        char *text = keep_take(keep, size + 1);
        vsnprintf(text, size + 1, format, again);
        va_end(again);
        return span_of(text, size);
}
