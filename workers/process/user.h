/* Who the process is. */
#pragma once

#include <stdbool.h>

/* Becomes the user of this name, with its groups, and gives up all that root may but for ports below 1024, which a
 * reload may want. Nothing happens with an empty name, or when the process is that user already. To be called before
 * threads are started: one thread is changed. Returns NULL, or what stands against it, in a constant. */
const char *user_become(const char *name, bool *ret_has_changed);
