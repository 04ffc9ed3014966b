/* Makes a whole batch of messages durable by one syncfs() of each file system that they are on, in place of a
 * sync of each file and each folder. On a disk that is a group commit: the journal is written once for all.
 * What others have written there is synced too. Since Linux 5.8 syncfs() tells of errors in writing back. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SHARED_SYNC_SYSTEMS_MAX 4 /* descriptors that it holds */

struct shared_sync {
        size_t count;
        struct {
                dev_t device;
                int fd; /* opened before the batch wrote anything there: so every error since then is told */
                int error; /* of the last run; 0: none */
        } systems[SHARED_SYNC_SYSTEMS_MAX];
};

/* Notes the file system of `fd`, a file that this batch has made, and sets *ret_system to its number. False
 * with errno when there are too many systems, or no descriptor is left. */
bool shared_sync_note(struct shared_sync *shared, int fd, size_t *ret_system);
/* Blocks until all that was written, renamed or linked so far on the noted systems is on disk, or has
 * failed. */
void shared_sync_run(struct shared_sync *shared);
/* True when the last run succeeded on this system; else errno tells why not. */
bool shared_sync_is_done(const struct shared_sync *shared, size_t system);
/* Forgets the systems, for the next batch. */
void shared_sync_end(struct shared_sync *shared);
