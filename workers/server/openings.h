/* What `serve` will open: log, store of senders, Maildirs, listening sockets. */
#pragma once

#include "conf/complaints.h"

/* Tries each without leaving anything behind, and complains. `path`: of the configuration. */
void openings_check(const struct snapshot *snapshot, const char *path, struct conf_complaints *complaints);
