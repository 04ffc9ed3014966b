/* One-way handover of parcels between two threads: a ring, an overflow list that keeps the producer from ever
 * waiting or dropping, and a waker that costs a system call only when the consumer sleeps. */
#pragma once

#include "core/base/expect.h"
#include "core/base/ring.h"
#include "workers/thread/waker.h"

/* First member of whatever is sent: the payload belongs to the receiver from then on. */
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
/* Producer. The consumer may see the parcel at once, and is woken by the next flush. */
void channel_send(struct channel *channel, struct parcel *parcel);
/* Producer, once a turn: moves overflow into the ring and wakes the consumer. False while overflow remains:
 * call again soon. */
bool channel_flush(struct channel *channel);
/* Consumer: NULL when nothing is there. */
struct parcel *channel_receive(struct channel *channel);
/* Consumer. */
bool channel_is_empty(const struct channel *channel);

/* `count` channels in one piece, aligned; NULL when memory is out. To be freed with free(). */
struct channel *channels_create(size_t count, struct waker *waker);
