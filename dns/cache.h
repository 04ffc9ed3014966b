/* Answers that all threads share. Any thread registered with RCU (memb) reads without a lock; threads that
 * put answers in take one another's turns. Reads no clock. The bound of memory holds for entries; what waits
 * for its grace period has a bound of its own. */
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

/* metrics.def tells what they mean. */
struct dns_cache_counts {
#define CACHE_METRIC(name, kind, help) uint64_t name;
#include "dns/metrics.def"
};

struct dns_cache;

/* NULL when memory or randomness is out. */
struct dns_cache *dns_cache_create(const struct dns_cache_options *options);
/* No thread may use it any more. The caller is registered with RCU; it waits for grace periods. */
void dns_cache_destroy(struct dns_cache *cache);
/* Keyed: nobody outside can choose names that collide. Depends on the name alone. */
uint64_t dns_cache_hash(const struct dns_cache *cache, struct span name);
/* On a hit the answer's records are in `arena`; when the arena is full, a miss. */
enum dns_cache_result dns_cache_get(struct dns_cache *cache, const struct dns_question *question,
                                    uint64_t now_ms, struct arena *arena, struct dns_answer *ret_answer);
/* answer->ttl_s is clamped. A failure replaces no answer that may still serve: that one becomes stale for a
 * while instead. */
void dns_cache_put(struct dns_cache *cache, const struct dns_question *question,
                   const struct dns_answer *answer, uint64_t now_ms);
/* The times of `options` hold for answers put in from now on; the bounds of memory stay. */
void dns_cache_set_times(struct dns_cache *cache, const struct dns_cache_options *options);
void dns_cache_count(struct dns_cache *cache, struct dns_cache_counts *ret_counts);
