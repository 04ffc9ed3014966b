/* Which signals the main thread waits for, and which do nothing. */
#pragma once

#include <signal.h>
#include <stdbool.h>

/* Blocks those that are waited for, in this thread and in all that it starts, and sets *ret_signals to them.
 * Ignores those that would end the program although nobody sends them on purpose. It may be called again. */
void signals_block(sigset_t *ret_signals);
/* Of those that are waited for: the ones that ask for an orderly stop. */
bool signal_is_end(int number);
/* What the main thread is sent when an order has come by the control socket; nobody else sends it, and a stray one only
 * makes it look around. It is a signal, because the main thread waits for signals anyway, and at several places. */
#define SIGNAL_OF_CONTROL SIGRTMIN
/* Whether one of them has come and waits; it stays where it is. */
bool signal_of_end_is_pending(void);
/* Whether these end the program at once, as by default, while nobody waits for them. */
void signals_let_end(bool may_end);
