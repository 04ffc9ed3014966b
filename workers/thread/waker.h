/* Wakes a thread, at the price of a system call only where that thread sleeps. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

/* Each consuming thread has one. With it the thread sleeps until a producer of one of its channels has
 * something for it. */
struct waker {
        int event_fd; /* -1: not open */
        _Atomic bool is_asleep;
};

/* False when descriptors are out. */
bool waker_open(struct waker *waker);
void waker_close(struct waker *waker);
/* Consumer: announces that it is about to sleep. Something may have been sent before the producer saw this,
 * so the consumer looks into every channel once more. Then it sleeps on event_fd, or calls
 * waker_stay_awake(). */
void waker_prepare(struct waker *waker);
void waker_stay_awake(struct waker *waker);
/* Consumer: sleeps until it is woken. It is for threads that wait for nothing else. */
void waker_sleep(struct waker *waker);
/* Consumer: the same, but for so long at most. */
void waker_nap(struct waker *waker, int timeout_ms);
/* Producer: wakes the consumer if it sleeps, after something has been made visible to it. */
void waker_wake(struct waker *waker);
/* Producer, after it has made something visible. False: the consumer finds it before it sleeps. True: it may
 * sleep, and somebody is to wake it. */
bool waker_may_sleep(const struct waker *waker);
