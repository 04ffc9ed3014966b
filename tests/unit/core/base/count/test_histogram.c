/* Histograms: each duration is in the first bucket that it is not above. */
#include "core/base/count/histogram.h"

#include <criterion/criterion.h>

static size_t bucket_of(uint64_t ms)
{
        struct histogram histogram = {0};
        size_t found = HISTOGRAM_BUCKETS;

        histogram_add(&histogram, ms);
        cr_assert_eq(atomic_load(&histogram.sum_ms), ms);
        for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
                uint64_t count = atomic_load(&histogram.counts[i]);
                cr_assert(count == 0 || (count == 1 && found == HISTOGRAM_BUCKETS), "%zu", i);
                if (count == 1)
                        found = i;
        }
        return found;
}

Test(histogram, bounds)
{
        cr_expect_eq(bucket_of(0), 0);
        for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
                cr_expect_eq(bucket_of(histogram_bounds_ms[i]), i);
                cr_expect_eq(bucket_of(histogram_bounds_ms[i] + 1), i + 1);
                cr_expect(i == 0 || histogram_bounds_ms[i] > histogram_bounds_ms[i - 1], "ascending");
        }
        cr_expect_eq(bucket_of(UINT64_MAX), HISTOGRAM_BOUNDS);
}

Test(histogram, sums)
{
        struct histogram sum = {0}, one = {0};

        for (uint64_t ms = 0; ms < 100; ms++)
                histogram_add(&one, ms);
        histogram_sum(&sum, &one);
        histogram_sum(&sum, &one);
        cr_expect_eq(atomic_load(&sum.sum_ms), 2 * 4950);
        uint64_t count = 0;
        for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
                count += atomic_load(&sum.counts[i]);
        cr_expect_eq(count, 200);
}
