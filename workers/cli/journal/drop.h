/* What changes a journal. It needs the lock: no server may run. */
#pragma once

#include "conf/snapshot.h"
#include "workers/cli/journal/numbers.h"

/* Returns an exit status, and tells on standard error what went wrong. */
int journal_drop(const struct options *options, const struct journal_numbers *numbers);
