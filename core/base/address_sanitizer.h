/* AddressSanitizer knows the pieces of malloc(), but not those of arenas. These functions tell it which
 * octets of a block belong to nobody, so that it finds a span that outlives its arena. In other builds they
 * do nothing. */
#pragma once

#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_ADDRESS_SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define IS_ADDRESS_SANITIZED 1
#endif

#ifdef IS_ADDRESS_SANITIZED
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
#endif

static inline void octets_forbid(const void *at, size_t count)
{
        (void)at, (void)count;
#ifdef IS_ADDRESS_SANITIZED
        __asan_poison_memory_region(at, count);
#endif
}

/* A piece of malloc() that is lost on purpose, with all that it leads to. */
static inline void octets_abandon(const void *at)
{
        (void)at;
#ifdef IS_ADDRESS_SANITIZED
        __lsan_ignore_object(at);
#endif
}

static inline void octets_allow(const void *at, size_t count)
{
        (void)at, (void)count;
#ifdef IS_ADDRESS_SANITIZED
        __asan_unpoison_memory_region(at, count);
#endif
}
