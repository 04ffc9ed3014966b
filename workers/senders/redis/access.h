/* The store in Redis for subcommands, which wait for it. Whatever fails is told on standard error. */
#pragma once

#include "workers/senders/access.h"

/* False unless each instance can be used, so that nothing of what is remembered is passed over. */
bool redis_access_open(struct sender_access *access, const struct snapshot *snapshot);
/* The same for those who need no more than one of them: how many can be used. Of the others there is no context. */
size_t redis_access_reach(struct sender_access *access, const struct snapshot *snapshot);
void redis_access_close(struct sender_access *access);
bool redis_access_each(struct sender_access *access, sender_visit *visit, void *context);
bool redis_access_merge(struct sender_access *access, const struct sender_effect *effect);
bool redis_access_forget(struct sender_access *access, const struct sender_key *key);
