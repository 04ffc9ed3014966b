/* Batches of file systems' syncs. */
#include "workers/deliver/shared_sync.h"

#include "workers/deliver/file_system.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* A place for the file system of `fd`; there is room for it. False when nothing is known of it. */
static bool system_add(struct shared_sync *shared, int fd)
{
        struct file_system system;

        if (!file_system_read(fd, &system))
                return false;
        int kept = system.sync_fault == NULL ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
        if (system.sync_fault == NULL && kept < 0)
                return false;
        shared->systems[shared->count].device = system.device;
        shared->systems[shared->count].fd = kept;
        shared->systems[shared->count].error = 0;
        shared->count++;
        return true;
}

size_t shared_sync_note(struct shared_sync *shared, int fd)
{
        struct stat status;
        size_t i;

        if (fstat(fd, &status) != 0)
                return SHARED_SYNC_NONE;
        for (i = 0; i < shared->count && shared->systems[i].device != status.st_dev; i++)
                continue;
        if (i == SHARED_SYNC_SYSTEMS_MAX || (i == shared->count && !system_add(shared, fd)))
                return SHARED_SYNC_NONE;
        return shared->systems[i].fd < 0 ? SHARED_SYNC_NONE : i;
}

void shared_sync_run(struct shared_sync *shared)
{
        for (size_t i = 0; i < shared->count; i++)
                if (shared->systems[i].fd >= 0)
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
                if (shared->systems[--shared->count].fd >= 0)
                        close(shared->systems[shared->count].fd);
}
