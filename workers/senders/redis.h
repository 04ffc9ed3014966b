/* The store of senders in Redis, for a fleet. The store's thread has one connection at a time and pipelines
 * its commands. While Redis is down or slow every question fails at once. */
#pragma once

#include "workers/senders/store.h"

struct sender_redis;

/* Returns NULL when memory is out. It does not connect yet. */
struct sender_redis *sender_redis_create(struct sender_store *store, const struct snapshot *snapshot);
/* Runs in the store's thread until the store is stopping and what is under way has been answered, or a second
 * has passed. */
void sender_redis_run(struct sender_redis *redis);
void sender_redis_destroy(struct sender_redis *redis);
