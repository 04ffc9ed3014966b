/* What the main thread does for the pages: it starts their thread, and tells them of reloads. */
#pragma once

#include "conf/complaints.h"
#include "workers/server/server.h"

/* False when descriptors or threads are out. */
bool pages_start(struct server *server);
/* Work aside, because many domains take long: what `next` changes of the snapshot in force, in lines; the caller's to
 * free. NULL: nobody wants to read it, or memory is out. */
char *pages_changes(const struct server *server, const struct snapshot *next);
/* Another one is in force, with these changes or NULL. */
void pages_after_reload(struct server *server, const char *changes);
/* It was not to be. */
void pages_after_failure(struct server *server, const struct conf_complaints *reasons);
