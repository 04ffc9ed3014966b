/* Who the process is. */
#pragma once

#include <stdbool.h>

/* What stands against becoming the user of this name, in a constant; NULL: nothing. An empty name is nobody, and
 * nothing stands against that. */
const char *user_fault(const char *name);
/* Becomes that user, with its groups, and gives up all that root may, but keeps ports below 1024 with
 * `keeps_low_ports`. Nothing happens with an empty name, or when the process is that user already. To be called before
 * threads are started: one thread is changed. Returns NULL, or what stands against it, in a constant. */
const char *user_become(const char *name, bool keeps_low_ports, bool *ret_has_changed);
/* For subcommands that root may run: becomes the user whose files they work on. Nothing happens where others run them.
 * False, and told on stderr, when something stands against it. */
bool user_become_of(const char *name);
