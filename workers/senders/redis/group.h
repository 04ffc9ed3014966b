/* All instances of one configuration. */
#pragma once

#include "workers/senders/redis/node.h"

#define REDIS_GROUP_POLLS (REDIS_INSTANCES_MAX * REDIS_NODE_POLLS)

/* Owner: the store's thread. */
struct redis_group {
        struct redis_settings *settings;
        struct redis_shares *shares; /* outlives it; owner: the list that redis_group_new() has put it on */
        uint64_t begun_ms;
        size_t count;
        struct redis_node nodes[];
};

/* Owns the settings, also when it fails. NULL when memory is out. */
struct redis_group *redis_group_new(struct sender_store *store, struct redis_settings *settings,
                                    struct redis_shares **shares);
/* Ends its connections; what is under way fails. */
void redis_group_close(struct redis_group *group);
/* The same first. NULL is allowed. */
void redis_group_free(struct redis_group *group);
/* From now on it is in force, in the place of the former one, which may be NULL: pages show it, and it hears other
 * machines. The former one only answers what it was asked. */
void redis_group_enforce(struct redis_group *group, struct redis_group *former);
void redis_group_turn(struct redis_group *group, const struct redis_record *record, uint64_t now_ms);
/* Takes the job, which comes back answered. False when the instance that it is for does not serve. */
bool redis_group_send(struct redis_group *group, struct sender_job *job);
bool redis_group_is_idle(const struct redis_group *group);
/* True when each instance serves. */
bool redis_group_serves(const struct redis_group *group);
/* As for redis_node_poll(). */
size_t redis_group_poll(const struct redis_group *group, struct pollfd events[static REDIS_GROUP_POLLS]);
void redis_group_handle(struct redis_group *group, const struct pollfd events[static REDIS_GROUP_POLLS]);
uint64_t redis_group_wait_ms(const struct redis_group *group, uint64_t now_ms);
