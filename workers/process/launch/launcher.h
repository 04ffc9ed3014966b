/* The launcher: a process beside the server that can start a program, because nobody in the sandbox may. It is forked
 * before the sandbox closes, with the server's user and capabilities, and starts one program alone: the server's own,
 * as its file is then, with the server's own arguments and environment. It takes no other wish, has none of the
 * server's descriptors, and nobody may look into its memory. It ends with the server.
 *
 * The program gets the sockets as of socket activation (sd_listen_fds(3)), and by their names in LISTEN_FDNAMES: */
#pragma once

#include "workers/process/launch/message.h"

#include <sys/types.h>

#define LAUNCH_NAME_OWN     "gatepost-own"     /* sockets that nobody else keeps open */
#define LAUNCH_NAME_CHANNEL "gatepost-channel" /* to the server that has it started */
#define LAUNCH_NAME_STDERR                                                                                   \
        "gatepost-stderr" /* where the server's standard error goes; its own goes to the server */

struct launcher {
        int fd; /* -1: there is none */
};

/* Forks it; of the server that means true, or false with errno. In the launcher `forget(argument)` is called, which
 * frees what is not its business, and nothing returns. `arguments`: those of the program, behind its name; NULL ends
 * them, and there are 32 at most. `standard_error`: the launcher's; -1: the server's. */
bool launcher_begin(struct launcher *launcher, char *const *arguments, int standard_error,
                    void (*forget)(void *argument), void *argument);
/* False with errno when the launcher does not take the order. `descriptors`: see struct launch_message. */
bool launcher_order(const struct launcher *launcher, const struct launch_message *message,
                    const int *descriptors);
/* False when no report comes in this time, or the launcher has gone. */
bool launcher_hear(const struct launcher *launcher, int wait_ms, struct launch_report *ret_report);
/* Returns when the launcher has ended, so that what it has started is nobody's child any more, or a second later. */
void launcher_dismiss(struct launcher *launcher);
