/* How many threads there are, where the options leave it to us. */
#pragma once

#include "conf/snapshot.h"

uint32_t server_workers_wanted(const struct options *options);
/* `worker_count`: of this server. */
uint32_t server_acceptors_wanted(const struct options *options, uint32_t worker_count);
