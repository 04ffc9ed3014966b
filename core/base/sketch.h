/* How many there are of each network, in memory of fixed size: a counting sketch of two rows, shared by all
 * threads without a lock. It may count too many when networks collide in both rows, never too few; the hash is
 * keyed, so that nobody can choose to collide. */
#pragma once

#include "core/base/address.h"

#include <stdatomic.h>

struct sketch {
        uint64_t key;
        size_t mask;
        _Atomic uint32_t *rows[2]; /* mask + 1 counts each */
};

/* `row_size`: counts in a row, a power of two. `key`: a secret. False when memory is out. */
bool sketch_init(struct sketch *sketch, size_t row_size, uint64_t key);
void sketch_end(struct sketch *sketch);
/* Nobody has been counted. */
void sketch_clear(struct sketch *sketch);
/* By which a network is counted. `prefix` counts as in struct network. Never 0. */
uint64_t sketch_hash(const struct sketch *sketch, const struct address *address, unsigned prefix);
/* Counts one more, and gives the count with it. */
uint32_t sketch_add(struct sketch *sketch, uint64_t hash);
void sketch_remove(struct sketch *sketch, uint64_t hash);
uint32_t sketch_count(const struct sketch *sketch, uint64_t hash);
