/* gatepost log pseudonymise: rotated files of the log get pseudonyms. */
#pragma once

#include "conf/snapshot.h"
#include "workers/log/line.h"

/* Rewrites these files but the one that the snapshot's server writes to. Returns the exit status. */
int log_pseudonymise_files(const struct snapshot *snapshot, const struct log_privacy *privacy,
                           char *const *paths, int count);
/* Rewrites the files that rotations have made of the snapshot's log and that are older than log_pseudonymise_after. */
int log_pseudonymise_old(const struct snapshot *snapshot, const struct log_privacy *privacy);
