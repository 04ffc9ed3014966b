/* What a new configuration would take away from the one in force: a file that was cut, emptied or mixed up must
 * not turn users into unknown ones. */
#pragma once

#include "conf/complaints.h"

/* True when `after` may replace `before`. Else the complaints say what would be lost, and which option of
 * `after` lets it go. Looks up each recipient of `before`: a million take a fraction of a second. */
bool losses_are_allowed(const struct snapshot *before, const struct snapshot *after,
                        struct conf_complaints *complaints);
