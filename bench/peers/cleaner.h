/* A process beside each server that ends it, and removes its files, when the bench has died without doing
 * so. */
#pragma once

#include "bench/measure.h"

/* Ends all of the cgroup and removes `folder` once we are gone. 0 without a cgroup: then only the server's
 * first process is told of our end. */
pid_t cleaner_start(const struct watched *watched, const char *folder);
/* Of no more use. */
void cleaner_end(pid_t cleaner);
void folder_remove(const char *folder);
