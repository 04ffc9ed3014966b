/* Wakers: a flag, and an eventfd behind it. */
#include "workers/thread/waker.h"

#include "core/base/expect.h"

#include <ck_pr.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

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

/* The full fences here and in waker_may_sleep() pair up: either the consumer sees the parcel, or the producer sees
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

void waker_nap(struct waker *waker, int timeout_ms)
{
        struct pollfd event = {.fd = waker->event_fd, .events = POLLIN};

        if (poll(&event, 1, timeout_ms) > 0)
                waker_sleep(waker);
        waker_stay_awake(waker);
}

bool waker_may_sleep(const struct waker *waker)
{
        ck_pr_fence_memory();
        return atomic_load_explicit(&waker->is_asleep, memory_order_relaxed);
}

void waker_wake(struct waker *waker)
{
        uint64_t one = 1;

        if (!waker_may_sleep(waker))
                return;
        if (!atomic_exchange_explicit(&waker->is_asleep, false, memory_order_relaxed))
                return;
        while (write(waker->event_fd, &one, sizeof one) < 0)
                expect(errno == EINTR);
}
