/* What is known of file systems: whether one syncfs() makes all that is on them durable, and says so when it
 * does not. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* NULL: syncfs() is as good as a sync of each file and folder. Else why it is not. `magic`: f_type of
 * statfs(2); `release`: of the kernel, as uname(2) gives it. */
const char *file_system_sync_fault(long magic, const char *release);

struct file_system {
        dev_t device;
        const char *name;       /* "ext4", or "unknown" */
        const char *sync_fault; /* NULL: its files may share a sync */
};

/* Of an open file. False with errno when the kernel does not tell. */
bool file_system_read(int fd, struct file_system *ret_system);
/* Of the folder that the Maildirs of a path template lie in, or of the nearest one above it that exists;
 * opens it. Its path goes to `path`, terminated. False with errno, also when it may not be entered. */
bool file_system_read_template(const char *path_template, struct file_system *ret_system, char *path,
                               size_t size);
