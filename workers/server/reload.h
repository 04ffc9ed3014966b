/* Listening sockets and snapshot, replaced together while the server runs. */
#pragma once

#include "workers/server/server.h"

/* Opens all that the snapshot wants to listen on. False, with a line on stderr, when one of them cannot be
 * opened. */
bool reload_open_first(struct server *server, const struct snapshot *snapshot);
/* Takes up what the configuration says now, if all of it is right; else says so and changes nothing. */
void reload(struct server *server);
/* Opens the log anew, after somebody has renamed it. When that fails it goes on in the open file. */
void reload_log(struct server *server);
/* Says how mail becomes durable under the configuration in force. */
void reload_tell_syncs(struct server *server);
