/* A table of file systems, from statfs(2). */
#include "workers/deliver/file_system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

/* syncfs() tells of what was not written back since 5.8, and of a journal that was not since 5.17. */
#define KERNEL_MAJOR 5
#define KERNEL_MINOR 17

static const char is_remote[] = "its server decides what is on disk";
static const char has_lower[] = "it keeps errors of the file system below to itself";
static const char is_unproven[] = "nothing is known of its syncfs()";

/* The last row is for all others. */
static const struct {
        long magic;
        const char *name, *sync_fault;
} file_systems[] = {
    {0xef53, "ext4", NULL},          {0x58465342, "xfs", NULL},
    {0x9123683e, "btrfs", NULL},     {0xf2f52010, "f2fs", NULL},
    {0x01021994, "tmpfs", NULL},     {0x6969, "nfs", is_remote},
    {0x517b, "smb", is_remote},      {0xfe534d42, "smb2", is_remote},
    {0xff534d42, "cifs", is_remote}, {0x01021997, "9p", is_remote},
    {0x00c36400, "ceph", is_remote}, {0x5346414f, "afs", is_remote},
    {0x65735546, "fuse", is_remote}, {0x794c7630, "overlayfs", has_lower},
    {0xf15f, "ecryptfs", has_lower}, {0x2fc12fc1, "zfs", is_unproven},
    {0, "unknown", is_unproven},
};

static size_t row_of(long magic)
{
        size_t row = 0;
        while (file_systems[row].magic != 0 && file_systems[row].magic != magic)
                row++;
        return row;
}

const char *file_system_sync_fault(long magic, const char *release)
{
        int major = 0, minor = 0;

        sscanf(release, "%d.%d", &major, &minor);
        if (major < KERNEL_MAJOR || (major == KERNEL_MAJOR && minor < KERNEL_MINOR))
                return "syncfs() of kernels before 5.17 keeps errors to itself";
        return file_systems[row_of(magic)].sync_fault;
}

bool file_system_read(int fd, struct file_system *ret_system)
{
        struct stat status;
        struct statfs system;
        struct utsname kernel;

        if (fstat(fd, &status) != 0 || fstatfs(fd, &system) != 0 || uname(&kernel) != 0)
                return false;
        /* Some magic numbers have their highest bit set, which is a sign in an int only. */
        long magic = (long)((unsigned long)system.f_type & 0xffffffff);
        *ret_system = (struct file_system){.device = status.st_dev,
                                           .name = file_systems[row_of(magic)].name,
                                           .sync_fault = file_system_sync_fault(magic, kernel.release)};
        return true;
}

/* Cuts the last component off; what is left of "/x" is "/". False when there is none. */
static bool path_shorten(char *path)
{
        char *slash = strrchr(path, '/');

        if (slash == NULL || strcmp(path, "/") == 0)
                return false;
        slash[slash == path] = '\0';
        return true;
}

bool file_system_read_template(const char *path_template, struct file_system *ret_system, char *path,
                               size_t size)
{
        int fd;

        if (snprintf(path, size, "%.*s", (int)strcspn(path_template, "%"), path_template) >= (int)size) {
                errno = ENAMETOOLONG;
                return false;
        }
        path_shorten(path); /* what stands before the first % in its component */
        do {
                fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        } while (fd < 0 && errno == ENOENT && path_shorten(path));
        if (fd < 0)
                return false;
        bool is_read = faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0 && file_system_read(fd, ret_system);
        int error = errno;
        close(fd);
        errno = error;
        return is_read;
}
