/* Waking a thread that sleeps, for the price of a system call only where it does. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

/* Lets a thread sleep until a producer of one of its channels has something for it. One for each consuming
 * thread. */
struct waker {
        int event_fd; /* -1: not open */
        _Atomic bool is_asleep;
};

bool waker_open(struct waker *waker);
void waker_close(struct waker *waker);
/* Consumer: announces sleep. Whatever was sent before another thread sees this announcement must be looked
 * for after it: look into every channel once more, then sleep on event_fd, or call waker_stay_awake(). */
void waker_prepare(struct waker *waker);
void waker_stay_awake(struct waker *waker);
/* Consumer: sleeps until woken, for threads that wait for nothing else. */
void waker_sleep(struct waker *waker);
/* Producer, after it has made something visible. */
void waker_wake(struct waker *waker);
