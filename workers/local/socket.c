/* The socket is made beside its path and then renamed into it, so that whoever opens the path finds the one before or
 * this one with its mode. */
#include "workers/local/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define LOCK_TRIES    100
#define LOCK_PAUSE_MS 20

/* ---- addresses ----------------------------------------------------------------------------------------- */

struct reach {
        struct sockaddr_un address;
        int folder_fd; /* the address leads through it, while it is open; -1: it is the path itself */
};

static void reach_end(struct reach *reach)
{
        int error = errno;

        if (reach->folder_fd >= 0)
                close(reach->folder_fd);
        errno = error;
}

static bool has_room(int length)
{
        return length < (int)sizeof((struct sockaddr_un *)0)->sun_path;
}

/* -1 with errno. */
static int open_folder_of(const char *path, int flags)
{
        char folder[PATH_MAX];
        const char *slash = strrchr(path, '/');

        if (slash == NULL)
                return open(".", flags | O_DIRECTORY | O_CLOEXEC);
        if (snprintf(folder, sizeof folder, "%.*s", (int)(slash - path) + 1, path) >= (int)sizeof folder) {
                errno = ENAMETOOLONG;
                return -1;
        }
        return open(folder, flags | O_DIRECTORY | O_CLOEXEC);
}

/* Of the path with what is put behind it. False with errno: ENAMETOOLONG where there is no /proc, too. */
static bool reach_begin(struct reach *reach, const char *path, const char *suffix)
{
        char *place = reach->address.sun_path;
        const char *slash = strrchr(path, '/');

        *reach = (struct reach){.address = {.sun_family = AF_UNIX}, .folder_fd = -1};
        if (has_room(snprintf(place, sizeof reach->address.sun_path, "%s%s", path, suffix)))
                return true;
        reach->folder_fd = open_folder_of(path, O_PATH);
        if (reach->folder_fd < 0)
                return false;
        if (access("/proc/self/fd", X_OK) == 0 &&
            has_room(snprintf(place, sizeof reach->address.sun_path, "/proc/self/fd/%d/%s%s",
                              reach->folder_fd, slash == NULL ? path : slash + 1, suffix)))
                return true;
        errno = ENAMETOOLONG;
        reach_end(reach);
        return false;
}

/* False with errno. */
static bool can_be_reached(const char *path)
{
        struct reach reach;

        if (!reach_begin(&reach, path, ".new"))
                return false;
        reach_end(&reach);
        return true;
}

static int make_socket(void)
{
        return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static int close_after_failure(int fd)
{
        int error = errno;

        if (fd >= 0)
                close(fd);
        errno = error;
        return -1;
}

/* ---- who is there -------------------------------------------------------------------------------------- */

static bool connect_to(int fd, const struct sockaddr_un *address)
{
        int result;

        do
                result = connect(fd, (const struct sockaddr *)address, sizeof *address);
        while (result != 0 && errno == EINTR);
        return result == 0;
}

int local_socket_connect(const char *path)
{
        struct reach reach;

        if (!reach_begin(&reach, path, ""))
                return -1;
        int fd = make_socket();
        if (fd >= 0 && !connect_to(fd, &reach.address))
                fd = close_after_failure(fd);
        reach_end(&reach);
        return fd;
}

/* The text of what is in errno. */
static const char *name_error(void)
{
        return errno == ENAMETOOLONG ? "its path is too long for a socket, where /proc is not there to help"
                                     : strerrordesc_np(errno);
}

/* The kernel tells of a listening socket which process has made it listen. */
static bool is_of(int fd, pid_t process)
{
        struct ucred who;
        socklen_t length = sizeof who;

        return process != 0 && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length) == 0 &&
               who.pid == process;
}

static const char *find_fault(const char *path, pid_t predecessor, bool *ret_is_taken)
{
        struct stat status;

        *ret_is_taken = false;
        if (!can_be_reached(path) || lstat(path, &status) != 0)
                return errno == ENOENT ? NULL : name_error();
        if (!S_ISSOCK(status.st_mode)) {
                errno = EADDRINUSE;
                return "there is a file, and no socket";
        }
        int fd = local_socket_connect(path);
        bool is_predecessor = fd >= 0 && is_of(fd, predecessor);
        /* Whose queue is full lives, too. */
        *ret_is_taken = !is_predecessor && (fd >= 0 || errno == EAGAIN);
        if (fd >= 0)
                close(fd);
        if (*ret_is_taken) {
                errno = EADDRINUSE;
                return "another server listens there";
        }
        return is_predecessor || errno == ECONNREFUSED || errno == ENOENT ? NULL : name_error();
}

const char *local_socket_fault(const char *path, bool *ret_is_taken)
{
        return find_fault(path, 0, ret_is_taken);
}

/* ---- a socket of ours ---------------------------------------------------------------------------------- */

/* Of two servers that start at the same moment one finds the other's socket. A file system without locks has none, and
 * whoever keeps one for two seconds is not waited for. */
static int lock_folder_of(const char *path)
{
        int fd = open_folder_of(path, O_RDONLY);

        for (int i = 0;
             fd >= 0 && i < LOCK_TRIES && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK; i++)
                nanosleep(&(struct timespec){.tv_nsec = LOCK_PAUSE_MS * 1000000L}, NULL);
        return fd;
}

bool local_file_find(const char *path, struct local_file *ret_file)
{
        struct stat status;

        if (lstat(path, &status) != 0)
                return false;
        *ret_file = (struct local_file){.device = status.st_dev, .inode = status.st_ino};
        return true;
}

/* Before it listens nobody can connect, whatever its mode is. False with errno. */
static bool put_in_place(int fd, const struct reach *beside, const char *path, mode_t mode, int backlog,
                         struct local_file *ret_file)
{
        const char *place = beside->address.sun_path;
        struct stat status;

        /* Of somebody who was killed just here. */
        if (lstat(place, &status) == 0 && S_ISSOCK(status.st_mode))
                unlink(place);
        return bind(fd, (const struct sockaddr *)&beside->address, sizeof beside->address) == 0 &&
               chmod(place, mode) == 0 && local_file_find(place, ret_file) &&
               (backlog == 0 || listen(fd, backlog) == 0) && rename(place, path) == 0;
}

/* -1 with errno. */
static int make_at(const char *path, mode_t mode, int backlog, struct local_file *ret_file)
{
        struct reach beside;

        if (!reach_begin(&beside, path, ".new"))
                return -1;
        int fd = make_socket();
        if (fd >= 0 && !put_in_place(fd, &beside, path, mode, backlog, ret_file))
                fd = close_after_failure(fd);
        reach_end(&beside);
        return fd;
}

int local_socket_open(const char *path, mode_t mode, int backlog, pid_t predecessor,
                      struct local_file *ret_file, const char **ret_fault)
{
        bool is_taken;
        int fd = -1, lock_fd = lock_folder_of(path);

        *ret_fault = find_fault(path, predecessor, &is_taken);
        if (*ret_fault == NULL && (fd = make_at(path, mode, backlog, ret_file)) < 0)
                *ret_fault = name_error();
        int error = errno;
        if (lock_fd >= 0)
                close(lock_fd);
        errno = error;
        return fd;
}

void local_socket_remove(const char *path, const struct local_file *file)
{
        struct local_file found;

        if (local_file_find(path, &found) && found.device == file->device && found.inode == file->inode)
                unlink(path);
}

void local_socket_sweep(const char *path)
{
        struct local_file file;
        bool is_taken;

        if (local_file_find(path, &file) && local_socket_fault(path, &is_taken) == NULL)
                local_socket_remove(path, &file);
}

/* ---- kept ---------------------------------------------------------------------------------------------- */

static void name_kept(const char *path, char ret_kept[static PATH_MAX])
{
        snprintf(ret_kept, PATH_MAX, "%s.kept", path);
}

bool local_socket_keep(const char *path)
{
        char kept[PATH_MAX];

        name_kept(path, kept);
        unlink(kept); /* of somebody who was killed meanwhile */
        return link(path, kept) == 0;
}

/* A new name that leads to the same socket as the old one stays where it is. */
void local_socket_end_keeping(const char *path, bool puts_back)
{
        char kept[PATH_MAX];

        name_kept(path, kept);
        if (puts_back)
                rename(kept, path);
        unlink(kept);
}
