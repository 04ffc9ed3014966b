/* The modes of all checks of a configuration, chosen by the input of the session's fuzzer. */
#pragma once

#include "conf/snapshot.h"

#define MODE_DOMAINS 2

struct session_modes {
        struct check_setting global[CHECK_COUNT], of_domains[MODE_DOMAINS][CHECK_COUNT];
        bool are_wanted[CHECK_COUNT];
};

/* Reads those that the snapshot has. */
void session_modes_read(struct session_modes *ret_modes, const struct snapshot *snapshot);
/* Gives the snapshot these modes, and then those that `line` says: an octet for each check, in the order of checks.def.
 * Of its remainder by 27 the three digits to base 3 are the mode of all, of the first domain and of the second one;
 * those of a rule change nothing. So each combination of all modes can be said. */
void session_modes_set(struct snapshot *snapshot, const struct session_modes *modes, struct span line);
