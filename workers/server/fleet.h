/* What other machines of a fleet tell of clients. */
#pragma once

#include "workers/server/server.h"

/* The pinner of `current` that the store's thread is: one behind the workers. */
static inline uint32_t fleet_pinner(const struct server *server)
{
        return server->worker_count;
}

/* In the store's thread, registered with RCU. `server`: struct server. */
void fleet_hear(void *server, struct span notice);
