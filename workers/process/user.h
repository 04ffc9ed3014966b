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
/* For a command that uses what is the server's: as root it becomes that user. False when it cannot, which is told on
 * standard error. */
bool user_become_owner(const char *name);
