/* The orders of a shadow: another configuration that judges beside the one in force. */
#pragma once

#include "workers/server/server.h"

/* Before the threads start, where there is a control socket. False when memory or descriptors are out. */
bool shadow_prepare(struct server *server);
/* Orders: NULL, or why it was not done. */
const char *shadow_obey_start(struct server *server, struct control_job *job);
const char *shadow_obey_status(struct server *server, struct control_job *job);
const char *shadow_obey_promote(struct server *server, struct control_job *job);
const char *shadow_obey_stop(struct server *server, struct control_job *job);
/* The shadow ends with this, if there is one. Whoever has ordered it hears so, and what becomes of one promoted. */
void shadow_leave(struct server *server, struct control_job *job, const char *why);
/* Once a turn: lists that are suspended, and those that are not any more, are so for the shadow as well. */
void shadow_look_after(struct server *server);
