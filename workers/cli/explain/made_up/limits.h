/* What is told of the check client_rate: what it would count cannot be known, only where its limits lie. */
#pragma once

#include "conf/snapshot.h"

/* Of this client; "exempt" where it has none. */
void limits_put(const struct snapshot *snapshot, const struct address *client, struct text *text);
