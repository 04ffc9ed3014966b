/* What the main thread does for the pages: it starts their thread, and tells them of reloads. */
#pragma once

#include "conf/complaints.h"
#include "workers/server/server.h"

/* False when descriptors or threads are out. */
bool pages_start(struct server *server);
/* Before another snapshot is in force: the one that is, as a text for the next. NULL: nobody wants to read it. */
char *pages_before_reload(const struct server *server);
/* Another one is in force. Frees the text. */
void pages_after_reload(struct server *server, char *before);
/* It was not to be. */
void pages_after_failure(struct server *server, const struct conf_complaints *reasons);
