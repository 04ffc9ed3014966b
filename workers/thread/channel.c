/* Channels and wakers. */
#include "workers/thread/channel.h"

#include "core/base/thread_sanitizer.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

static_assert((CHANNEL_SLOTS & (CHANNEL_SLOTS - 1)) == 0, "ck breaks silently with other sizes");

/* ---- waker ------------------------------------------------------------------------------------------- */

bool waker_open(struct waker *waker)
{
        atomic_init(&waker->is_asleep, false);
        waker->event_fd = eventfd(0, EFD_CLOEXEC);
        return waker->event_fd >= 0;
}

void waker_close(struct waker *waker)
{
        if (waker->event_fd >= 0)
                close(waker->event_fd);
        waker->event_fd = -1;
}

/* The full fences here and in waker_wake() pair up: either the consumer sees the parcel, or the producer sees
 * the flag. */
void waker_prepare(struct waker *waker)
{
        atomic_store_explicit(&waker->is_asleep, true, memory_order_relaxed);
        ck_pr_fence_memory();
}

void waker_stay_awake(struct waker *waker)
{
        atomic_store_explicit(&waker->is_asleep, false, memory_order_relaxed);
}

void waker_sleep(struct waker *waker)
{
        uint64_t count;
        while (read(waker->event_fd, &count, sizeof count) < 0)
                expect(errno == EINTR);
        waker_stay_awake(waker);
}

void waker_wake(struct waker *waker)
{
        uint64_t one = 1;

        ck_pr_fence_memory();
        if (!atomic_load_explicit(&waker->is_asleep, memory_order_relaxed))
                return;
        if (!atomic_exchange_explicit(&waker->is_asleep, false, memory_order_relaxed))
                return;
        while (write(waker->event_fd, &one, sizeof one) < 0)
                expect(errno == EINTR);
}

/* ---- channel ----------------------------------------------------------------------------------------- */

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
