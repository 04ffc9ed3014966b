/* Cuts what zlib gives into lines. */
#include "workers/cli/log/lines.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_SIZE 131072

/* Room for more behind what is left of the last octets. */
static bool make_room(struct lines *lines)
{
        size_t size = lines->size == 0 ? FIRST_SIZE : lines->size;

        if (lines->octets != NULL && lines->start > 0)
                memmove(lines->octets, lines->octets + lines->start, lines->end - lines->start);
        lines->end -= lines->start;
        lines->start = 0;
        if (lines->end == size)
                size *= 2;
        if (size == lines->size)
                return true;
        char *grown = size > LINES_OCTETS_MAX ? NULL : realloc(lines->octets, size);
        if (grown == NULL)
                return false;
        lines->octets = grown;
        lines->size = size;
        return true;
}

static const char *fault_of(gzFile file)
{
        int error;
        const char *message = gzerror(file, &error);

        return error == Z_ERRNO ? strerrordesc_np(errno) : error == Z_BUF_ERROR ? "it is cut off" : message;
}

/* NULL, or why there is no more. */
static const char *fill(struct lines *lines)
{
        int error;

        if (!make_room(lines))
                return "a line is too long";
        int length = gzread(lines->file, lines->octets + lines->end, (unsigned)(lines->size - lines->end));
        if (length > 0)
                lines->end += (size_t)length;
        else
                lines->has_ended = true;
        gzerror(lines->file, &error);
        return length < 0 || (lines->has_ended && error != Z_OK) ? fault_of(lines->file) : NULL;
}

enum lines_result lines_next(struct lines *lines, struct span *ret_line, const char **ret_fault)
{
        size_t searched = 0;

        for (;;) {
                struct span held = lines->octets == NULL
                                       ? SPAN("")
                                       : span_of(lines->octets + lines->start, lines->end - lines->start);
                size_t newline = span_find(span_skip(held, searched), '\n');
                size_t length = newline != SIZE_MAX ? searched + newline + 1
                                : lines->has_ended  ? held.length
                                                    : 0;
                if (length > 0) {
                        *ret_line = span_of(held.at, length);
                        lines->start += length;
                        return LINES_GIVEN;
                }
                if (lines->has_ended)
                        return LINES_END;
                searched = held.length;
                *ret_fault = fill(lines);
                if (*ret_fault != NULL)
                        return LINES_FAILED;
        }
}

void lines_end(struct lines *lines)
{
        free(lines->octets);
}
