/* Channels. */
#include "workers/thread/channel.h"

#include "core/base/thread_sanitizer.h"

#include <assert.h>
#include <stdint.h>

static_assert((CHANNEL_SLOTS & (CHANNEL_SLOTS - 1)) == 0, "ck breaks silently with other sizes");

void channel_init(struct channel *channel, struct waker *waker)
{
        ck_ring_init(&channel->ring, CHANNEL_SLOTS);
        channel->overflow_first = channel->overflow_last = NULL;
        channel->is_announced = true;
        channel->waker = waker;
}

/* The payload's handover is checked by ThreadSanitizer, because parcel->next is stored and loaded in C11
 * order. */
static bool ring_put(struct channel *channel, struct parcel *parcel)
{
        atomic_store_explicit(&parcel->next, NULL, memory_order_release);
        foreign_accesses_begin();
        bool is_in = ck_ring_enqueue_spsc(&channel->ring, channel->slots, parcel);
        foreign_accesses_end();
        return is_in;
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
        struct parcel *parcel;

        foreign_accesses_begin();
        bool is_there = ck_ring_dequeue_spsc(&channel->ring, channel->slots, &parcel);
        foreign_accesses_end();
        if (!is_there)
                return NULL;
        expect(atomic_load_explicit(&parcel->next, memory_order_acquire) == NULL);
        return parcel;
}

bool channel_is_empty(const struct channel *channel)
{
        return ck_ring_size(&channel->ring) == 0;
}

struct channel *channels_create(size_t count, struct waker *waker)
{
        struct channel *channels = aligned_alloc(_Alignof(struct channel), count * sizeof *channels);
        for (size_t i = 0; channels != NULL && i < count; i++)
                channel_init(&channels[i], waker);
        return channels;
}
