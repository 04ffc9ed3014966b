/* SIGHUP and SIGUSR1: the configuration, or the log alone, is taken up anew while the server runs. */
#pragma once

#include "workers/server/server.h"

#define RELOAD_REASON_SIZE 480

/* Takes up what the configuration says now, if all of it is right; else says so and changes nothing: false, with the
 * reason in `ret_reason`. `job`: of an order, which hears the complaints; NULL: nobody has asked. */
bool reload(struct server *server, struct control_job *job, char ret_reason[static RELOAD_REASON_SIZE]);
/* Opens the log anew, after somebody has renamed it. When that fails it goes on in the open file. */
void reload_log(struct server *server);
/* Says how mail becomes durable under the configuration in force. */
void reload_tell_syncs(struct server *server);
