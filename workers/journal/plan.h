/* What the options say of a journal, with paths of its own: the configuration that it was started with may go. */
#pragma once

#include "workers/journal/drain.h"

#include <limits.h>

struct journal_plan {
        char path[PATH_MAX], dead_letters[PATH_MAX];
        struct journal_settings settings;    /* its path is the one here */
        struct journal_drain_settings drain; /* the same */
};

/* False when there is to be none. The plan must stay where it is. */
bool journal_plan_make(struct journal_plan *plan, const struct options *options);
/* How many a process may need for it. */
uint64_t journal_plan_descriptors(const struct options *options);
