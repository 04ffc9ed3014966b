/* The memory of rulings. Any thread that is registered with RCU (memb) reads it without a lock and without a system
 * call; threads that put rulings in wait for one another. It reads no clock. Octets are bounded: the rulings that are
 * used least make room. It lies in a cache of DNS answers of its own, because that has all of this already. */
#pragma once

#include "core/lookup/ruling.h"

struct rulings;

/* NULL when memory is out, or the kernel gives no random key. */
struct rulings *rulings_create(size_t octets_max);
/* No thread may use it any more. The caller is registered with RCU. `rulings` may be NULL. */
void rulings_destroy(struct rulings *rulings);
/* False where there is none, or its time is over. `pool` gives memory for the time of the call. */
bool rulings_find(struct rulings *rulings, const struct key128 *key, uint64_t now_ms, struct block_pool *pool,
                  struct ruling *ret_ruling);
/* It holds for `keep_ms` from now, in the place of what there was; with 0 nothing is kept, and what there was stays. */
void rulings_put(struct rulings *rulings, const struct key128 *key, const struct ruling *ruling,
                 uint64_t now_ms, uint64_t keep_ms);
/* Rulings that are in it. */
uint64_t rulings_count(struct rulings *rulings);
