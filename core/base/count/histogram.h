/* How long something took, counted in buckets of fixed bounds. Written by its owner alone, read by anybody at any time;
 * what is read may be of moments that are a few instructions apart. */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define BUCKET(ms) +1
enum {
        HISTOGRAM_BOUNDS = 0
#include "core/base/count/histogram.def"
        ,
        HISTOGRAM_BUCKETS = HISTOGRAM_BOUNDS + 1
};

/* Nothing but counters, so that histograms can be added up like these. */
struct histogram {
        _Atomic uint64_t counts[HISTOGRAM_BUCKETS]; /* each of its own bucket alone */
        _Atomic uint64_t sum_ms;
};

/* Owner only: plain additions. Most durations are in the first bucket, and cost one comparison. */
static inline void histogram_add(struct histogram *histogram, uint64_t ms)
{
        size_t bucket = 0;
        _Atomic uint64_t *count, *sum = &histogram->sum_ms;

        if (ms > 1) {
#define BUCKET(bound_ms) bucket += ms > (bound_ms);
#include "core/base/count/histogram.def"
        }
        count = &histogram->counts[bucket];
        atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + 1,
                              memory_order_relaxed);
        atomic_store_explicit(sum, atomic_load_explicit(sum, memory_order_relaxed) + ms,
                              memory_order_relaxed);
}

/* Owner of `sum` only: adds what another one has counted. */
static inline void histogram_sum(struct histogram *sum, const struct histogram *other)
{
        for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
                atomic_store_explicit(&sum->counts[i],
                                      atomic_load_explicit(&sum->counts[i], memory_order_relaxed) +
                                          atomic_load_explicit(&other->counts[i], memory_order_relaxed),
                                      memory_order_relaxed);
        atomic_store_explicit(&sum->sum_ms,
                              atomic_load_explicit(&sum->sum_ms, memory_order_relaxed) +
                                  atomic_load_explicit(&other->sum_ms, memory_order_relaxed),
                              memory_order_relaxed);
}
