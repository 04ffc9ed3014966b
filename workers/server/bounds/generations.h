/* Each reload leaves a snapshot behind that lives as long as a session keeps it. A few slow sessions must not keep
 * many of them. */
#pragma once

#include "workers/server/server.h"

/* Once a second: frees those that nobody keeps any more. */
void generations_look(struct server *server);
/* After each publication: the oldest are too many for the options in force, and their sessions are told. */
void generations_bound(struct server *server);
