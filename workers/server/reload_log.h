/* SIGUSR1: the log alone is taken up anew; and what is told there of a configuration that has come into force. */
#pragma once

#include "workers/server/server.h"

/* Opens the log anew, after somebody has renamed it. When that fails it goes on in the open file. */
void reload_log(struct server *server);
/* Says how mail becomes durable under the configuration in force. */
void reload_tell_syncs(struct server *server);
