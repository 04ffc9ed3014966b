/* The store of senders in Redis, for a fleet. The store's thread has a connection to each instance and pipelines its
 * commands. While an instance is down or slow every question to it fails at once. */
#pragma once

#include "workers/senders/redis/settings.h"

struct sender_redis;

/* Owns the settings, also when it fails. NULL when memory is out. It does not connect yet. */
struct sender_redis *sender_redis_create(struct sender_store *store, struct redis_settings *settings);
/* Any thread: other settings, which it then owns, are to be in force as soon as they serve, or have had the time for
 * it. What is under way is answered by those that it was asked of. */
void sender_redis_offer(struct sender_redis *redis, struct redis_settings *settings);
/* Any one thread: what each instance is told of this machine from now on, under its name; it is copied. An empty one:
 * nothing more. False, and what was told stays, when memory is out or one of them is too long. */
bool sender_redis_publish(struct sender_redis *redis, struct span name, struct span record);
/* Runs in the store's thread until the store is stopping and what is under way has been answered, or a second
 * has passed. */
void sender_redis_run(struct sender_redis *redis);
void sender_redis_destroy(struct sender_redis *redis);
