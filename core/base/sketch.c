/* The counting sketch. */
#include "core/base/sketch.h"

#include <stdlib.h>
#include <xxhash.h>

bool sketch_init(struct sketch *sketch, size_t row_size, uint64_t key)
{
        *sketch = (struct sketch){.key = key, .mask = row_size - 1};
        for (int row = 0; row < 2; row++)
                sketch->rows[row] = calloc(row_size, sizeof sketch->rows[row][0]);
        if (sketch->rows[0] != NULL && sketch->rows[1] != NULL)
                return true;
        sketch_end(sketch);
        return false;
}

void sketch_end(struct sketch *sketch)
{
        free(sketch->rows[0]);
        free(sketch->rows[1]);
        *sketch = (struct sketch){0};
}

void sketch_clear(struct sketch *sketch)
{
        for (int row = 0; row < 2; row++)
                for (size_t i = 0; i <= sketch->mask; i++)
                        atomic_store_explicit(&sketch->rows[row][i], 0, memory_order_relaxed);
}

uint64_t sketch_hash(const struct sketch *sketch, const struct address *address, unsigned prefix)
{
        struct network network = network_of(address, prefix);
        uint64_t hash =
            XXH3_64bits_withSeed(network.address.octets, sizeof network.address.octets, sketch->key + prefix);
        return hash != 0 ? hash : 1;
}

static _Atomic uint32_t *count_of(const struct sketch *sketch, int row, uint64_t hash)
{
        return &sketch->rows[row][(row == 0 ? hash : hash >> 32) & sketch->mask];
}

uint32_t sketch_add(struct sketch *sketch, uint64_t hash)
{
        uint32_t first = atomic_fetch_add_explicit(count_of(sketch, 0, hash), 1, memory_order_relaxed) + 1;
        uint32_t second = atomic_fetch_add_explicit(count_of(sketch, 1, hash), 1, memory_order_relaxed) + 1;
        return first < second ? first : second;
}

void sketch_remove(struct sketch *sketch, uint64_t hash)
{
        atomic_fetch_sub_explicit(count_of(sketch, 0, hash), 1, memory_order_relaxed);
        atomic_fetch_sub_explicit(count_of(sketch, 1, hash), 1, memory_order_relaxed);
}

uint32_t sketch_count(const struct sketch *sketch, uint64_t hash)
{
        uint32_t first = atomic_load_explicit(count_of(sketch, 0, hash), memory_order_relaxed);
        uint32_t second = atomic_load_explicit(count_of(sketch, 1, hash), memory_order_relaxed);
        return first < second ? first : second;
}
