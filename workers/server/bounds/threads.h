/* How many threads the options mean, where they leave it to us. */
#pragma once

#include "conf/snapshot.h"

uint32_t threads_workers_wanted(const struct options *options);
/* `worker_count`: of this server. */
uint32_t threads_acceptors_wanted(const struct options *options, uint32_t worker_count);
