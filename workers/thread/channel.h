/* Hands parcels from one thread to another. It is a ring, an overflow list so that the producer never waits and
 * drops nothing, and a waker that costs a system call only when the consumer sleeps. */
#pragma once

#include "core/base/expect.h"
#include "core/base/ring.h"
#include "workers/thread/waker.h"

/* The first member of whatever is sent. From then on what it is a part of belongs to the receiver. */
struct parcel {
        _Atomic(struct parcel *) next; /* in the overflow list; NULL when received */
};

struct parcel_slot {
        struct parcel *parcel;
};

#define CHANNEL_SLOTS 256
RING(parcel_ring, parcel_slot, CHANNEL_SLOTS);

struct channel {
        _Alignas(64) struct parcel_ring ring;
        /* Owner: the producer. */
        struct parcel *overflow_first, *overflow_last;
        bool is_announced;   /* nothing was sent since the consumer was last told */
        struct waker *waker; /* the consumer's; NULL: it looks by itself */
};

void channel_init(struct channel *channel, struct waker *waker);
/* Producer: sends the parcel. The consumer may see it at once, and is woken by the next flush. */
void channel_send(struct channel *channel, struct parcel *parcel);
/* Producer, once a turn: moves overflow into the ring and wakes the consumer. False while overflow remains;
 * then it is to be called again soon. */
bool channel_flush(struct channel *channel);
/* Consumer: returns the next parcel, or NULL when nothing is there. */
struct parcel *channel_receive(struct channel *channel);
/* Consumer: true when nothing is there. */
bool channel_is_empty(const struct channel *channel);

/* Returns `count` channels in one piece of memory, which is aligned and to be freed with free(). NULL when
 * memory is out. */
struct channel *channels_create(size_t count, struct waker *waker);
