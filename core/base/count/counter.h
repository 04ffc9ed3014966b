/* Counters that one thread writes, and others may read at any time. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

/* Owner only: a plain addition, no locked instruction. */
static inline void counter_add(_Atomic uint64_t *counter, uint64_t number)
{
        uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
        atomic_store_explicit(counter, value + number, memory_order_relaxed);
}

/* Owner only: of what there is now. */
static inline void counter_set(_Atomic uint64_t *counter, uint64_t number)
{
        atomic_store_explicit(counter, number, memory_order_relaxed);
}

static inline uint64_t counter_read(const _Atomic uint64_t *counter)
{
        return atomic_load_explicit(counter, memory_order_relaxed);
}
