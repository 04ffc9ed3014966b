/* How much memory clients may make the server hold. */
#pragma once

#include "conf/snapshot.h"
#include "core/base/budget.h"

/* Sets the budget as the options say; by default to a share of the machine's memory. */
void memory_bound(struct budget *budget, const struct options *options);
