/* The configuration at the start of the server. */
#pragma once

#include "conf/snapshot.h"

/* Loads it and becomes the user that it names. Root without one is refused, unless `may_be_root`. NULL, with the reason
 * on standard error. */
struct snapshot *first_snapshot(const char *path, bool may_be_root);
