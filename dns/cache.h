/* Answers that all threads share. Any thread that is registered with RCU (memb) reads without a lock; threads
 * that put answers in wait for one another. It reads no clock. One bound of memory holds for the entries, and
 * another one for what was removed and waits for its grace period. */
#pragma once

#include "dns/fact.h"

struct dns_cache_options {
        size_t octets_max;          /* of all entries; the table of buckets takes about 6 % more */
        size_t deferred_octets_max; /* removed, not yet free: above this nothing is put in */
        uint32_t ttl_min_s, ttl_max_s;
        uint32_t negative_ttl_max_s; /* RFC 2308 5 */
        uint32_t failure_ttl_s;      /* how long a failure is believed; RFC 2308 7.1: at most 300 */
        /* an answer may serve this long after its end while DNS fails (RFC 8767); 0: never */
        uint32_t stale_s;
        /* after a failure stale answers are served this long before DNS is asked again */
        uint32_t stale_recheck_s;
};

enum dns_cache_result {
        CACHE_MISS,
        CACHE_HIT,
        /* a hit on a hot answer near its end: the caller, and no other, is to ask DNS for it now */
        CACHE_HIT_REFRESH,
};

/* dns/metrics.def says what they mean. */
struct dns_cache_counts {
#define CACHE_METRIC(name, kind, help) uint64_t name;
#include "dns/metrics.def"
};

struct dns_cache;

/* Returns NULL when memory is out, or the kernel gives no random key. */
struct dns_cache *dns_cache_create(const struct dns_cache_options *options);
/* No thread may use the cache any more. The caller is registered with RCU, and waits for grace periods. */
void dns_cache_destroy(struct dns_cache *cache);
/* The hash depends on the name alone. It is keyed, so that nobody outside can choose names that collide. */
uint64_t dns_cache_hash(const struct dns_cache *cache, struct span name);
/* On a hit the records of the answer are in `arena`. When the arena is full it is a miss. */
enum dns_cache_result dns_cache_get(struct dns_cache *cache, const struct dns_question *question,
                                    uint64_t now_ms, struct arena *arena, struct dns_answer *ret_answer);
/* Puts the answer in; its ttl_s is brought within the options' bounds. A failure replaces no answer that may
 * still serve; that one becomes stale for a while instead. */
void dns_cache_put(struct dns_cache *cache, const struct dns_question *question,
                   const struct dns_answer *answer, uint64_t now_ms);
/* The times in `options` hold for answers that are put in from now on. The bounds of memory stay. */
void dns_cache_set_times(struct dns_cache *cache, const struct dns_cache_options *options);
void dns_cache_count(struct dns_cache *cache, struct dns_cache_counts *ret_counts);
