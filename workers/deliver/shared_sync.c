/* Batches of file systems' syncs. */
#include "workers/deliver/shared_sync.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

bool shared_sync_note(struct shared_sync *shared, int fd, size_t *ret_system)
{
        struct stat status;
        size_t i;

        if (fstat(fd, &status) != 0)
                return false;
        for (i = 0; i < shared->count && shared->systems[i].device != status.st_dev; i++)
                continue;
        if (i == SHARED_SYNC_SYSTEMS_MAX) {
                errno = EMFILE;
                return false;
        }
        if (i == shared->count) {
                int kept = fcntl(fd, F_DUPFD_CLOEXEC, 0);
                if (kept < 0)
                        return false;
                shared->systems[i].device = status.st_dev;
                shared->systems[i].fd = kept;
                shared->systems[i].error = 0;
                shared->count++;
        }
        *ret_system = i;
        return true;
}

void shared_sync_run(struct shared_sync *shared)
{
        for (size_t i = 0; i < shared->count; i++)
                shared->systems[i].error = syncfs(shared->systems[i].fd) == 0 ? 0 : errno;
}

bool shared_sync_is_done(const struct shared_sync *shared, size_t system)
{
        errno = shared->systems[system].error;
        return errno == 0;
}

void shared_sync_end(struct shared_sync *shared)
{
        while (shared->count > 0)
                close(shared->systems[--shared->count].fd);
}
