/* Memory for tables whose look-ups each go somewhere else. */
#pragma once

#include <stdlib.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)

/* As malloc() does, in huge pages where the kernel has some and it fills one: in pages of the common size each look-up
 * would miss the TLB as well. */
static inline void *huge_pages_take(size_t octets)
{
        size_t whole = (octets + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;

        if (octets < HUGE_PAGE)
                return malloc(octets);
        void *memory = aligned_alloc(HUGE_PAGE, whole);
        if (memory != NULL)
                madvise(memory, whole, MADV_HUGEPAGE);
        return memory;
}
