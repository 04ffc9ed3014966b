/* What `check-config --dns` says of next hops that have a name. */
#pragma once

#include "conf/complaints.h"
#include "conf/snapshot.h"

/* Prints the addresses of each of them, and complains of those that have none. */
void hop_names_check(const struct snapshot *snapshot, const char *path, struct conf_complaints *complaints);
