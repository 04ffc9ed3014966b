/* What comes to a worker from acceptors: connections. */
#pragma once

#include "workers/inbound/worker.h"

bool worker_has_arrivals(const struct worker *worker);
/* All that were there when epoll returned: they may have events. Others come next time. */
void worker_take_arrivals(struct worker *worker);
