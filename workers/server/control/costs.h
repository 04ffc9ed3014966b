/* The order `costs`: what checks cost, and what they are good for. */
#pragma once

#include "workers/server/server.h"

/* Tells the totals, and then each check in a line of its own. NULL: it was told. */
const char *costs_tell(struct server *server, struct control_job *job);
