/* ck and liburcu order their accesses by inline assembler, which ThreadSanitizer does not see; it would
 * report races where there are none. These functions tell it of the order. In other builds they do
 * nothing. */
#pragma once

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define IS_THREAD_SANITIZED 1
#endif
#elif defined(__SANITIZE_THREAD__)
#define IS_THREAD_SANITIZED 1
#endif

#ifdef IS_THREAD_SANITIZED
void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
void AnnotateHappensBefore(const char *file, int line, const volatile void *address);
void AnnotateHappensAfter(const char *file, int line, const volatile void *address);
#endif

/* Between these two calls the accesses of this thread are hidden. They belong around calls of such a library,
 * and never around accesses to a payload. */
static inline void foreign_accesses_begin(void)
{
#ifdef IS_THREAD_SANITIZED
        AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
        AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
#endif
}

static inline void foreign_accesses_end(void)
{
#ifdef IS_THREAD_SANITIZED
        AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
        AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
#endif
}

/* These two tell of an order that such a library makes: what comes before the release of `address` is seen
 * after its acquisition. */
static inline void order_release(const void *address)
{
        (void)address;
#ifdef IS_THREAD_SANITIZED
        AnnotateHappensBefore(__FILE__, __LINE__, address);
#endif
}

static inline void order_acquire(const void *address)
{
        (void)address;
#ifdef IS_THREAD_SANITIZED
        AnnotateHappensAfter(__FILE__, __LINE__, address);
#endif
}
