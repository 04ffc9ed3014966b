/* A process beside each server that ends it, and removes its files, when the bench has died without doing
 * so. */
#pragma once

#include "bench/measure.h"

/* Starts the process, which ends all of the cgroup and removes `folder` once we are gone. 0 without a cgroup:
 * then only the server's first process is told of our end. */
pid_t cleaner_start(const struct watched *watched, const char *folder);
/* Ends that process, when the server has been stopped. */
void cleaner_end(pid_t cleaner);
/* Removes the folder with all that is in it. */
void folder_remove(const char *folder);
