/* The threads that messages go to: those that write into Maildirs, and those that speak to next hops. Their numbers are
 * those of the start. */
#pragma once

#include "workers/server/server.h"

/* False when memory or descriptors are out. */
bool stores_init(struct server *server, const struct options *options);
bool stores_start(struct server *server);
/* They have ended, or were never started. */
void stores_end(struct server *server);
/* These options hold for connections to next hops that are made from now on, and `tls`, which is taken over, for
 * handshakes with them; NULL: none is. */
void stores_set(struct server *server, const struct options *options, SSL_CTX *tls);
