/* The resolver pool: a few threads ask DNS for all workers. Each worker has a client, through which it asks
 * without a lock and without waiting: first the cache, then a ring to the thread that the name hashes to,
 * where equal questions join. Every answer goes into the cache and, by a ring, back to each that asked.
 *
 * Whatever is bounded here is shared by the domains that are asked about (places.h): the places at the
 * resolvers, those on the way to a thread, and those before it. What finds no place waits.
 *
 * An answer is believed if it comes from the upstream's address and port and repeats the question. Nothing is
 * signed, so upstreams must be on loopback or on a trusted link. */
#pragma once

#include "conf/snapshot.h"
#include "core/base/count/histogram.h"
#include "core/base/sketch.h"
#include "dns/cache.h"

#include <stdatomic.h>

struct dns_pool_options {
        struct dns_cache *cache;  /* outlives the pool */
        struct sketch *questions; /* in flight, by dns_account; outlives the pool. NULL: not counted */
        const struct endpoint *upstreams; /* in order of preference; the first eight are used; copied */
        size_t upstream_count;
        uint32_t threads; /* 1..16 */
        uint32_t clients;
        uint32_t attempt_timeout_ms; /* for one upstream to answer, then it is the next one's turn */
        uint32_t deadline_ms;        /* for a question, all attempts and CNAME targets together */
        uint32_t in_flight_max;      /* questions out at a time, each thread: as many descriptors */
        /* Questions that a client keeps for each thread while the way to it is full. More are not kept. */
        uint32_t waiting_max;
};

/* The descriptors that the pool may need, which are to be kept free for it. */
#define DNS_POOL_DESCRIPTORS(options) ((size_t)(options)->threads * ((options)->in_flight_max + 32))

/* Sums over all threads. dns/metrics.def says what they mean. */
struct dns_pool_counts {
#define POOL_METRIC(name, kind, help) uint64_t name;
#include "dns/metrics.def"
};

struct dns_pool;
struct dns_client;

/* When this returns the threads run. NULL when memory, descriptors or threads are out. */
struct dns_pool *dns_pool_create(const struct dns_pool_options *options);
/* Ends the threads. False when one of them runs still at this moment of clock_monotonic_ms(); then the pool must
 * not be destroyed. */
bool dns_pool_stop(struct dns_pool *pool, uint64_t until_ms);
/* No client may be in use any more. Answers that nobody took are dropped. */
void dns_pool_destroy(struct dns_pool *pool);
/* From now on questions go to these upstreams; those in flight may still be answered by the former ones.
 * False when memory is out. */
bool dns_pool_set_upstreams(struct dns_pool *pool, const struct endpoint *upstreams, size_t count);
/* The times and waiting_max of `options` hold for later questions. Only the owner of the pool calls this. */
void dns_pool_set_limits(struct dns_pool *pool, const struct dns_pool_options *options);
void dns_pool_count(struct dns_pool *pool, struct dns_pool_counts *ret_counts);
/* How long the pool's questions took, from their client to the answer or failure, of all threads. */
void dns_pool_times(const struct dns_pool *pool, struct histogram *ret_sum);
