/* The store of senders in Redis, for a fleet: one connection at a time, pipelined, in the store's thread.
 * While it is down or slow every question fails at once. */
#pragma once

#include "workers/senders/store.h"

struct sender_redis;

/* Connects to nothing yet. NULL when memory is out. */
struct sender_redis *sender_redis_create(struct sender_store *store, const struct snapshot *snapshot);
/* In the thread, until the store is stopping and what is under way is answered, or a second has passed. */
void sender_redis_run(struct sender_redis *redis);
void sender_redis_destroy(struct sender_redis *redis);
