/* The timers of one thread, in a hashed wheel. Each costs a constant time, and a deadline that only moves
 * away costs none. The wheel reads no clock; it is told the time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WHEEL_TICK_MS 8
#define WHEEL_SLOTS   8192 /* a round takes 65 s; a timer beyond that comes up early, once a round */

struct timer {
        struct timer *next, **link; /* link NULL: not in a wheel */
        uint64_t tick;
};

struct wheel {
        uint64_t tick; /* all timers up to this one have been given out */
        uint64_t used[WHEEL_SLOTS / 64];
        struct timer *slots[WHEEL_SLOTS];
};

void wheel_init(struct wheel *wheel, uint64_t now_ms);
/* The timer is given out 8 ms after `due_ms` at the latest, but maybe earlier: whoever gets it looks at the
 * deadline and schedules it again. With UINT64_MAX this call has no effect. */
void wheel_schedule(struct wheel *wheel, struct timer *timer, uint64_t due_ms);
void wheel_cancel(struct wheel *wheel, struct timer *timer);
/* Takes out a timer that is up and returns it, or returns NULL. */
struct timer *wheel_expire(struct wheel *wheel, uint64_t now_ms);
/* Returns the milliseconds until the next timer is up, or -1 when there is none. */
int wheel_wait_ms(const struct wheel *wheel, uint64_t now_ms);
