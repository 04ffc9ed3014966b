/* When a beat is due. */
#include "workers/server/overseer/watchdog.h"

#define BEATS 4 /* in the time after which the process would be ended: one may be lost, and one late */

void watchdog_look(struct watchdog *watchdog, bool all_turn, uint64_t now_ms)
{
        uint64_t watchdog_ms = watchdog->notify->watchdog_ms;
        bool is_due = watchdog->beaten_ms == 0 || now_ms - watchdog->beaten_ms >= watchdog_ms / BEATS;

        if (watchdog_ms > 0 && all_turn && is_due && notify_beat(watchdog->notify))
                watchdog->beaten_ms = now_ms;
}
