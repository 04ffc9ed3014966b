/* SIGHUP: the configuration is taken up anew while the server runs. */
#pragma once

#include "workers/server/server.h"

#define RELOAD_REASON_SIZE 480

/* Takes up what the configuration says now, if all of it is right; else says so and changes nothing: false, with the
 * reason in `ret_reason`. `job`: of an order, which hears the complaints; NULL: nobody has asked. */
bool reload(struct server *server, struct control_job *job, char ret_reason[static RELOAD_REASON_SIZE]);
/* The same with the file of a shadow, if it says still what that was read from; a stop of the server that comes
 * meanwhile leaves the subject in use. The server's own file stays the one that later reloads read. */
bool reload_promote(struct server *server, const struct shadow_subject *judged, struct control_job *job,
                    char ret_reason[static RELOAD_REASON_SIZE]);
