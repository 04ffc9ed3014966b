/* Which signals the main thread waits for, and which do nothing. */
#pragma once

#include <signal.h>

/* Blocks those that are waited for, in this thread and in all that it starts, and sets *ret_signals to them.
 * Ignores those that would end the program although nobody sends them on purpose. */
void signals_block(sigset_t *ret_signals);
