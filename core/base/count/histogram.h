/* How long something took, counted in buckets of fixed bounds. Written by its owner alone, read by anybody at any time;
 * what is read may be of moments that are a few instructions apart. */
#pragma once

#include "core/base/count/counter.h"

#include <stddef.h>

#define BUCKET(ms) +1
enum {
        HISTOGRAM_BOUNDS = 0
#include "core/base/count/histogram.def"
        ,
        HISTOGRAM_BUCKETS = HISTOGRAM_BOUNDS + 1
};

/* Ascending. */
static const uint64_t histogram_bounds_ms[HISTOGRAM_BOUNDS] = {
#define BUCKET(ms) ms,
#include "core/base/count/histogram.def"
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

        if (ms > histogram_bounds_ms[0]) {
#define BUCKET(bound_ms) bucket += ms > (bound_ms);
#include "core/base/count/histogram.def"
        }
        counter_add(&histogram->counts[bucket], 1);
        counter_add(&histogram->sum_ms, ms);
}

/* Owner of `sum` only: adds what another one has counted. */
static inline void histogram_sum(struct histogram *sum, const struct histogram *other)
{
        for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
                counter_add(&sum->counts[i], counter_read(&other->counts[i]));
        counter_add(&sum->sum_ms, counter_read(&other->sum_ms));
}
