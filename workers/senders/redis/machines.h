/* The records that the machines of a fleet tell of themselves (herald.h), for subcommands. Whatever fails is told on
 * standard error. */
#pragma once

#include "workers/senders/access.h"

#define REDIS_MACHINES_MAX 1024 /* of one instance */

/* Is given what one instance has under one name; both may be anything. `context` is the caller's. */
typedef void redis_machine_visit(void *context, struct span name, struct span record);

/* The instances that can be reached, each with its machines. False when one fails, or has too much to be read. */
bool redis_machines_each(const struct sender_access *access, redis_machine_visit *visit, void *context);
/* Removes the record of this name from each instance that can be reached. False when one fails. */
bool redis_machines_forget(const struct sender_access *access, struct span name, bool *ret_was_there);
