/* One-way handover of values between two threads: a ck ring (one producer, one consumer) whose slots hold the
 * values themselves, so that nothing is allocated on the way and nothing has to be given back. */
#pragma once

#include "core/base/thread_sanitizer.h"

#include <assert.h>
#include <ck_ring.h>
#include <stdbool.h>
#include <stddef.h>

/* RING(name, item, slot_count) declares `struct name`, a ring of `struct item`; one slot stays empty.
 *
 * name_init(ring)
 * name_put(ring, &item)       producer: false when it is full
 * name_take(ring, &ret_item)  consumer: false when nothing is there
 * name_count(ring)            either: exact for what it does itself, and what the other does may not show yet */
#define RING(name, item, slot_count)                                                                         \
        static_assert(((slot_count) & ((slot_count)-1)) == 0, "ck breaks silently with other sizes");        \
        struct name {                                                                                        \
                struct ck_ring ring;                                                                         \
                struct item slots[slot_count];                                                               \
        };                                                                                                   \
        CK_RING_PROTOTYPE(name, item)                                                                        \
        static inline void name##_init(struct name *ring)                                                    \
        {                                                                                                    \
                ck_ring_init(&ring->ring, slot_count);                                                       \
        }                                                                                                    \
        static inline bool name##_put(struct name *ring, const struct item *value)                           \
        {                                                                                                    \
                foreign_accesses_begin();                                                                    \
                struct item *slot = ck_ring_enqueue_reserve_spsc_##name(&ring->ring, ring->slots);           \
                foreign_accesses_end();                                                                      \
                if (slot == NULL)                                                                            \
                        return false;                                                                        \
                *slot = *value;                                                                              \
                order_release(slot);                                                                         \
                foreign_accesses_begin();                                                                    \
                ck_ring_enqueue_commit_spsc(&ring->ring);                                                    \
                foreign_accesses_end();                                                                      \
                return true;                                                                                 \
        }                                                                                                    \
        static inline bool name##_take(struct name *ring, struct item *ret_value)                            \
        {                                                                                                    \
                const struct item *slot = &ring->slots[ring->ring.c_head & ring->ring.mask];                 \
                foreign_accesses_begin();                                                                    \
                bool is_there = ck_ring_dequeue_spsc_##name(&ring->ring, ring->slots, ret_value);            \
                foreign_accesses_end();                                                                      \
                if (is_there)                                                                                \
                        order_acquire(slot);                                                                 \
                return is_there;                                                                             \
        }                                                                                                    \
        static inline size_t name##_count(const struct name *ring)                                           \
        {                                                                                                    \
                return ck_ring_size(&ring->ring);                                                            \
        }                                                                                                    \
        struct name
