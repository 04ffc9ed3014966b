/* What the process may do beside what its user may: capabilities, new programs, core files. All of this is of the
 * calling thread and of those that it starts later, so it comes before any of them. */
#pragma once

#include <stdbool.h>

/* Empties the bounding set: no program that is started may gain a capability. CAP_NET_BIND_SERVICE stays with
 * `keeps_low_ports`, so that it can be passed on. False with errno. */
bool powers_bound(bool keeps_low_ports);
/* Gives up every capability that the thread has; CAP_NET_BIND_SERVICE stays with `keeps_low_ports`, if it is there.
 * False with errno. */
bool powers_drop(bool keeps_low_ports);
/* A program that is started next keeps the capabilities that are left. */
void powers_pass_on(void);
/* Whether a port below 1024 may be bound by capability. */
bool powers_has_low_ports(void);
/* From now on no other process of its user may look into this one, until powers_close() says so. */
void powers_hide(void);
/* What holds whoever the process is: no power comes by a program that is started (no_new_privs), what it makes is for
 * its user alone (umask 077), and its memory is read by nobody, unless `may_dump`. False with errno. */
bool powers_close(bool may_dump);
