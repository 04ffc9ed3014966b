/* Logarithmic buckets with 64 linear steps each. */
#include "bench/load/histogram.h"

#include <math.h>

#define STEP_BITS 6
#define STEPS     (1u << STEP_BITS)

static unsigned bucket_of(uint64_t duration_ns)
{
        if (duration_ns < STEPS)
                return (unsigned)duration_ns;
        unsigned exponent = 63 - (unsigned)__builtin_clzll(duration_ns) - STEP_BITS;
        unsigned bucket = exponent * STEPS + (unsigned)(duration_ns >> exponent);
        return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

static double middle_of(unsigned bucket)
{
        if (bucket < STEPS)
                return bucket;
        unsigned exponent = bucket / STEPS - 1;
        return ldexp((double)(bucket % STEPS + STEPS) + 0.5, (int)exponent);
}

void histogram_add(struct histogram *histogram, uint64_t duration_ns)
{
        histogram->count++;
        histogram->buckets[bucket_of(duration_ns)]++;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
        into->count += from->count;
        for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
                into->buckets[i] += from->buckets[i];
}

double histogram_quantile_us(const struct histogram *histogram, double share)
{
        uint64_t rank = (uint64_t)ceil(share * (double)histogram->count), below = 0;

        for (unsigned i = 0; i < HISTOGRAM_BUCKETS && histogram->count > 0; i++) {
                below += histogram->buckets[i];
                if (below >= rank)
                        return middle_of(i) / 1000;
        }
        return 0;
}
