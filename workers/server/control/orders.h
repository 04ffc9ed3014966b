/* What the main thread does when an order comes by the control socket. */
#pragma once

#include "workers/server/server.h"

/* At the start, last of all that may fail: opens the socket that the options name, if they name one. False, with the
 * reason told, when that cannot be. */
bool orders_begin(struct server *server, const struct options *options);
/* Executes the orders that wait. */
void orders_obey(struct server *server);
