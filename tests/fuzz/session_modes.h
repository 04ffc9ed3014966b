/* Configurations for the session's fuzzer, with the modes of all checks as its input says. */
#pragma once

#include "conf/snapshot.h"

#define SESSION_VARIANTS 22

/* The configuration of this number, with the modes that `line` says: an octet for each check, in the order of
 * checks.def. Of its remainder by 27 the three digits to base 3 are the mode of all, of the first domain and of the
 * second one; those of a rule change nothing. So each combination of all modes can be said. */
const struct snapshot *session_snapshot(size_t variant, struct span line);
