/* The sandbox: the kernel lets the process make only the system calls of calls.def (seccomp). It holds for every thread
 * until the process ends. */
#pragma once

#include "conf/snapshot.h"

/* To be called before any thread is started. False, with the reason on standard error. */
bool sandbox_enter(enum sandbox_mode mode);
/* "off", "observe", "enforce" or "kill". */
const char *sandbox_mode_word(enum sandbox_mode mode);
