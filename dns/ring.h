/* Hands pointers from one thread to another by a ck ring with one producer and one consumer. Whoever uses it
 * has made sure that it is never full. */
#pragma once

#include "core/base/expect.h"
#include "core/base/thread_sanitizer.h"

#include <assert.h>
#include <ck_ring.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define DNS_RING_SLOTS 4096 /* one stays empty */
static_assert((DNS_RING_SLOTS & (DNS_RING_SLOTS - 1)) == 0, "ck breaks silently with other sizes");

struct dns_ring {
        struct ck_ring ring;
        struct ck_ring_buffer slots[DNS_RING_SLOTS];
};

static inline void dns_ring_init(struct dns_ring *ring)
{
        ck_ring_init(&ring->ring, DNS_RING_SLOTS);
}

static inline void dns_ring_put(struct dns_ring *ring, void *item)
{
        order_release(item);
        foreign_accesses_begin();
        bool is_in = ck_ring_enqueue_spsc(&ring->ring, ring->slots, item);
        foreign_accesses_end();
        expect(is_in);
}

/* Returns NULL when nothing is there. */
static inline void *dns_ring_take(struct dns_ring *ring)
{
        void *item;

        foreign_accesses_begin();
        bool is_there = ck_ring_dequeue_spsc(&ring->ring, ring->slots, &item);
        foreign_accesses_end();
        if (!is_there)
                return NULL;
        order_acquire(item);
        return item;
}

static inline bool dns_ring_is_empty(const struct dns_ring *ring)
{
        return ck_ring_size(&ring->ring) == 0;
}
