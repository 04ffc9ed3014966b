/* What a service manager is told of the program's state (sd_notify(3)). */
#pragma once

#include <stdbool.h>

/* That it serves: to the socket that the environment names as NOTIFY_SOCKET, from which it takes that name. False when
 * there is one and it does not take the word within five seconds. */
bool notify_ready(void);
