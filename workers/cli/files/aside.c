/* What the disk does not take is told at the end at the latest. */
#include "workers/cli/files/aside.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

FILE *aside_open(const char *path, mode_t mode)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        FILE *out = fd < 0 ? NULL : fdopen(fd, "w");

        if (out == NULL && fd >= 0) {
                int error = errno;
                close(fd);
                unlink(path);
                errno = error;
        }
        return out;
}

bool aside_close(FILE *out)
{
        bool is_written = fflush(out) == 0 && !ferror(out) && fsync(fileno(out)) == 0;
        int error = errno;

        is_written = fclose(out) == 0 && is_written;
        if (!is_written && error != 0)
                errno = error;
        return is_written;
}

bool aside_sync_folder(const char *folder)
{
        int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        bool is_synced = fd >= 0 && fsync(fd) == 0;
        int error = errno;

        if (fd >= 0)
                close(fd);
        errno = error;
        return is_synced;
}
