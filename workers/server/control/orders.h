/* What the main thread does when an order comes by the control socket. */
#pragma once

#include "workers/server/server.h"

/* Once there are workers and before they start: where the options name a control socket, sessions can be followed.
 * False when memory is out. */
bool orders_prepare(struct server *server, const struct options *options);
/* At the start, last of all that may fail: opens that socket. False, with the reason told, when that cannot be. */
bool orders_begin(struct server *server);
/* Nobody can give one any more. */
void orders_end(struct server *server);
/* Once a turn: looks after the shadow that an order has begun, and executes the orders that wait. */
void orders_obey(struct server *server);
