/* Tells how the files of each store become durable: event `maildir_sync`, one for each file system. */
#pragma once

#include "conf/snapshot.h"
#include "workers/log/writer.h"

/* Main thread, at the start and after a reload; on stderr too where maildir_sync_together does not hold. */
void store_syncs_tell(struct log_writer *log, const struct snapshot *snapshot);
