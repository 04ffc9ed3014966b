/* Durations in buckets of at most 1.6 % width, from 1 ns to 18 minutes, as in HDR histograms. */
#pragma once

#include <stdint.h>

#define HISTOGRAM_BUCKETS 2304

struct histogram {
        uint64_t count;
        uint32_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t duration_ns);
void histogram_merge(struct histogram *into, const struct histogram *from);
/* The middle of the bucket below which `share` (0..1) of the durations lie, in microseconds; 0 when empty. */
double histogram_quantile_us(const struct histogram *histogram, double share);
