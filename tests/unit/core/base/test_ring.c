/* Rings of values: order, fullness, and that they go round. */
#include "core/base/ring.h"

#include <criterion/criterion.h>
#include <stdint.h>

struct pair {
        uint64_t number, square;
};

RING(pair_ring, pair, 8);

Test(ring, values_come_out_in_order)
{
        struct pair_ring ring;
        struct pair pair;
        uint64_t in = 0, out = 0;

        pair_ring_init(&ring);
        cr_expect(!pair_ring_take(&ring, &pair));
        for (unsigned round = 0; round < 100; round++) {
                for (unsigned i = 0; i < 1 + round % 7; i++, in++)
                        cr_assert(pair_ring_put(&ring, &(struct pair){in, in * in}));
                cr_expect_eq(pair_ring_count(&ring), 1 + round % 7);
                for (; pair_ring_take(&ring, &pair); out++) {
                        cr_expect_eq(pair.number, out);
                        cr_expect_eq(pair.square, out * out);
                }
        }
        cr_expect_eq(in, out);
}

Test(ring, a_full_one_takes_nothing)
{
        struct pair_ring ring;
        struct pair pair;

        pair_ring_init(&ring);
        for (uint64_t i = 0; i < 7; i++)
                cr_assert(pair_ring_put(&ring, &(struct pair){i, 0}));
        cr_expect(!pair_ring_put(&ring, &(struct pair){7, 0}));
        cr_expect_eq(pair_ring_count(&ring), 7);
        cr_assert(pair_ring_take(&ring, &pair));
        cr_expect(pair_ring_put(&ring, &(struct pair){7, 0}));
        for (uint64_t i = 1; i < 8; i++) {
                cr_assert(pair_ring_take(&ring, &pair));
                cr_expect_eq(pair.number, i);
        }
}
