/* The lines of a log's file, compressed by gzip or not, octet for octet. */
#pragma once

#include "core/base/text.h"

#include <zlib.h>

#define LINES_OCTETS_MAX ((size_t)16 << 20) /* of a line: far more than any of ours has */

enum lines_result {
        LINES_GIVEN,
        LINES_END,
        LINES_FAILED, /* *ret_fault says why, in words that live as long as the file is open */
};

/* Zero it, and set the file, which stays the caller's. */
struct lines {
        gzFile file;
        char *octets;
        size_t start, end, size;
        bool has_ended;
};

/* The next line with its newline, which the last one may lack. It is valid until the next call. */
enum lines_result lines_next(struct lines *lines, struct span *ret_line, const char **ret_fault);
void lines_end(struct lines *lines);
