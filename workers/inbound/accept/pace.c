/* The two paces. The gap between their bounds keeps it from turning all the time: measured, a wide one costs
 * nothing, and a narrow one up to half of a session. */
#include "workers/inbound/accept/pace.h"

#define FAST_ACCEPTS 16   /* make it fast when they come within ... */
#define FAST_US      3200 /* ... this time: 5000 a second */
#define SLOW_NAPS    32   /* make it slow when there were fewer than ... */
#define SLOW_ACCEPTS 64   /* ... so many in them: 2000 a second at most */

void pace_note_accept(struct pace *pace, uint64_t now_us)
{
        if (pace->count == 0)
                pace->since_us = now_us;
        if (++pace->count < FAST_ACCEPTS)
                return;
        pace->is_fast = now_us - pace->since_us < FAST_US;
        pace->count = pace->naps = 0;
}

void pace_note_nap(struct pace *pace, uint32_t accepted)
{
        pace->count += accepted;
        if (++pace->naps < SLOW_NAPS)
                return;
        pace->is_fast = pace->count >= SLOW_ACCEPTS;
        pace->count = pace->naps = 0;
}
