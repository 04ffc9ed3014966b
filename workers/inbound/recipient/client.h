/* The daemons of recipients, for the sessions of a worker. */
#pragma once

#include "workers/inbound/worker.h"

/* The worker's sessions may ask, by worker->streams. False when memory is out. */
bool recipient_client_init(struct worker *worker);
void recipient_client_end(struct worker *worker);
