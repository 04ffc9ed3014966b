/* The networks of clients of whom something was noted lately. Written by its owner alone, by two plain stores; read by
 * another thread now and then, which may miss those that newer ones have overwritten, and knows how many. */
#pragma once

#include "core/base/address.h"

#include <stdatomic.h>

#define RECENT_SIZE 1024

struct recent {
        _Atomic uint64_t count; /* noted so far */
        _Atomic uint64_t keys[RECENT_SIZE];
};

/* An IPv4 address as a number below 2^32, or the first half of an IPv6 address, where no host lies below that. */
static inline uint64_t recent_key(const struct address *client)
{
        uint64_t halves[2];

        memcpy(halves, client->octets, sizeof halves);
        return halves[0] != 0 ? __builtin_bswap64(halves[0]) : __builtin_bswap64(halves[1]) & UINT32_MAX;
}

/* Owner only. */
static inline void recent_note(struct recent *recent, const struct address *client)
{
        uint64_t count = atomic_load_explicit(&recent->count, memory_order_relaxed);

        atomic_store_explicit(&recent->keys[count % RECENT_SIZE], recent_key(client), memory_order_relaxed);
        atomic_store_explicit(&recent->count, count + 1, memory_order_release);
}
