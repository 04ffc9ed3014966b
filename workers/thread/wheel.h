/* Timers of one thread in a hashed wheel: O(1) each, and none at all for a deadline that only moves away.
 * Pure: fed the time. */
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
/* The timer will be given out at the latest 8 ms after `due_ms`, but maybe earlier: whoever gets it looks at
 * its own deadline and schedules again. UINT64_MAX: never, as far as this call goes. */
void wheel_schedule(struct wheel *wheel, struct timer *timer, uint64_t due_ms);
void wheel_cancel(struct wheel *wheel, struct timer *timer);
/* Takes out one timer that is up, or gives NULL. */
struct timer *wheel_expire(struct wheel *wheel, uint64_t now_ms);
/* Milliseconds until the next timer is up, or -1 without any. */
int wheel_wait_ms(const struct wheel *wheel, uint64_t now_ms);
