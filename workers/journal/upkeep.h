/* What the drain does when it is time, and not because something came. All of it belongs to its thread. */
#pragma once

#include "workers/journal/drain.h"

/* When the clock on the wall was set, what waits stays as old as it was. */
void upkeep_heed_clock(struct journal_drain *drain);
/* Looks at some messages, and gives those up that have waited for the lifetime, and whose destination cannot be
 * reached. What is due in a future that was none, for the clock is set back, is due now. True when there are more to
 * look at. */
bool upkeep_sweep(struct journal_drain *drain);
/* When few segments are free, moves the few messages that are left in the oldest one to the end. */
void upkeep_move(struct journal_drain *drain);
/* Tells the writer which segments are not needed any more. */
void upkeep_publish(struct journal_drain *drain);
/* Once a turn: what whoever sums counters reads. */
void upkeep_count(struct journal_drain *drain);
