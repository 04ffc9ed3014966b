/* What the service manager is told of the server. The main thread tells it. */
#pragma once

#include "workers/server/server.h"

/* Once it listens. */
void manager_tell_ready(struct server *server);
/* A reload begins. */
void manager_tell_reload(struct server *server);
/* It is over. `reason`: why it has failed; NULL: it has not. */
void manager_tell_outcome(struct server *server, const char *reason);
/* The stop begins, and is over within this time. */
void manager_tell_stop(struct server *server, uint64_t within_ms);
