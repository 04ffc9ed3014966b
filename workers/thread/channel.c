/* Channels. */
#include "workers/thread/channel.h"

#include <stdatomic.h>
#include <stdlib.h>

void channel_init(struct channel *channel, struct waker *waker)
{
        parcel_ring_init(&channel->ring);
        channel->overflow_first = channel->overflow_last = NULL;
        channel->is_announced = true;
        channel->waker = waker;
}

static bool ring_put(struct channel *channel, struct parcel *parcel)
{
        atomic_store_explicit(&parcel->next, NULL, memory_order_release);
        return parcel_ring_put(&channel->ring, &(struct parcel_slot){parcel});
}

void channel_send(struct channel *channel, struct parcel *parcel)
{
        channel->is_announced = false;
        if (channel->overflow_first == NULL && ring_put(channel, parcel))
                return;
        atomic_store_explicit(&parcel->next, NULL, memory_order_relaxed);
        if (channel->overflow_first == NULL)
                channel->overflow_first = parcel;
        else
                atomic_store_explicit(&channel->overflow_last->next, parcel, memory_order_relaxed);
        channel->overflow_last = parcel;
}

bool channel_flush(struct channel *channel)
{
        while (channel->overflow_first != NULL) {
                struct parcel *parcel = channel->overflow_first;
                struct parcel *next = atomic_load_explicit(&parcel->next, memory_order_relaxed);
                if (!ring_put(channel, parcel)) {
                        atomic_store_explicit(&parcel->next, next, memory_order_relaxed);
                        break;
                }
                channel->overflow_first = next;
                channel->is_announced = false;
        }
        if (!channel->is_announced && channel->waker != NULL)
                waker_wake(channel->waker);
        channel->is_announced = true;
        return channel->overflow_first == NULL;
}

struct parcel *channel_receive(struct channel *channel)
{
        struct parcel_slot slot;

        if (!parcel_ring_take(&channel->ring, &slot))
                return NULL;
        expect(atomic_load_explicit(&slot.parcel->next, memory_order_acquire) == NULL);
        return slot.parcel;
}

bool channel_is_empty(const struct channel *channel)
{
        return parcel_ring_count(&channel->ring) == 0;
}

struct channel *channels_create(size_t count, struct waker *waker)
{
        struct channel *channels = aligned_alloc(_Alignof(struct channel), count * sizeof *channels);
        for (size_t i = 0; channels != NULL && i < count; i++)
                channel_init(&channels[i], waker);
        return channels;
}
