/* The end of the server, in the way of a byte. Each step has its time: no thread that hangs, be it in a system call
 * on a dead disk, keeps the process. */
#pragma once

#include "workers/server/server.h"

#include <signal.h>

/* Ends all threads. `signals`: further ones make it wait less. False when threads had to be left behind, or
 * messages whose store has not reported; the log and standard error name them, and the process must end without
 * freeing what they may use. Where only the log could not be written it does not return, and the status is 0. */
bool server_stop(struct server *server, const sigset_t *signals);
/* The stop is over within so many milliseconds, under the configuration in force. */
uint64_t stop_bound_ms(const struct server *server);
