/* The key of ids. */
#pragma once

#include "core/base/ids/ids.h"
#include "workers/senders/store.h"

/* Made of the secret of an open store where that lies on this machine: ids are then unique beyond restarts. Else by
 * chance, because a fleet that shared a key would give ids twice, for its machines count alike. */
void id_key_make(const struct sender_store *store, struct id_key *ret_key);
