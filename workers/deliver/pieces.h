/* Pieces of memory on their way into a file, of which a call may write a part: writev(2). */
#pragma once

#include <stddef.h>
#include <sys/uio.h>

/* What is left of them behind `written` octets. */
static inline void pieces_skip(struct iovec **pieces, int *count, size_t written)
{
        while (*count > 0 && written >= (*pieces)->iov_len) {
                written -= (*pieces)->iov_len;
                ++*pieces;
                --*count;
        }
        if (*count > 0) {
                (*pieces)->iov_base = (char *)(*pieces)->iov_base + written;
                (*pieces)->iov_len -= written;
        }
}
