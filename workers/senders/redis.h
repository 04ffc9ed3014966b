/* The store of senders in Redis, for a fleet: one connection at a time, pipelined, in the store's thread.
 * While it is down or slow every question fails at once. */
#pragma once

#include "workers/senders/store.h"

struct state_redis;

/* Connects to nothing yet. NULL when memory is out. */
struct state_redis *state_redis_create(struct state_store *store, const struct snapshot *snapshot);
/* In the thread, until the store is stopping and what is under way is answered, or a second has passed. */
void state_redis_run(struct state_redis *redis);
void state_redis_destroy(struct state_redis *redis);
