/* The socket is made beside its path and then renamed into it, so that whoever opens the path finds somebody behind it
 * who listens, and nobody but its user can open it at any moment. */
#include "workers/control/socket.h"

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

#define BACKLOG       64
#define LOCK_TRIES    100
#define LOCK_PAUSE_MS 20

static bool address_of(const char *path, struct sockaddr_un *ret_address)
{
        *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
        return snprintf(ret_address->sun_path, sizeof ret_address->sun_path, "%s", path) <
               (int)sizeof ret_address->sun_path;
}

int control_socket_connect(const char *path)
{
        struct sockaddr_un address;

        if (!address_of(path, &address)) {
                errno = ENAMETOOLONG;
                return -1;
        }
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
                int error = errno;
                close(fd);
                errno = error;
                return -1;
        }
        return fd;
}

/* The kernel tells of a listening socket which process has made it listen. */
static bool is_of(int fd, pid_t process)
{
        struct ucred who;
        socklen_t length = sizeof who;

        return process != 0 && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length) == 0 &&
               who.pid == process;
}

const char *control_socket_fault(const char *path, pid_t predecessor, bool *ret_is_taken)
{
        struct stat status;

        *ret_is_taken = false;
        if (lstat(path, &status) != 0)
                return errno == ENOENT ? NULL : strerrordesc_np(errno);
        if (!S_ISSOCK(status.st_mode))
                return "there is a file, and no socket";
        int fd = control_socket_connect(path);
        /* Whose queue is full lives, too. */
        *ret_is_taken = fd >= 0 ? !is_of(fd, predecessor) : errno == EAGAIN;
        if (fd >= 0) {
                close(fd);
                errno = ECONNREFUSED;
        }
        if (*ret_is_taken)
                return "another server listens there";
        return errno == ECONNREFUSED || errno == ENOENT ? NULL : strerrordesc_np(errno);
}

/* Of two servers that start at the same moment one finds the other's socket. A file system without locks has none, and
 * whoever keeps one for two seconds is not waited for. */
static int lock_folder_of(const char *path)
{
        char folder[PATH_MAX];

        snprintf(folder, sizeof folder, "%s", path);
        char *slash = strrchr(folder, '/');
        if (slash == NULL)
                return -1;
        slash[slash == folder] = '\0';
        int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        for (int i = 0;
             fd >= 0 && i < LOCK_TRIES && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK; i++)
                nanosleep(&(struct timespec){.tv_nsec = LOCK_PAUSE_MS * 1000000L}, NULL);
        return fd;
}

/* False with errno. */
static bool listen_at(struct control_socket *made, const char *path)
{
        struct sockaddr_un address;
        char beside[CONTROL_PATH_MAX + 8];
        struct stat status;

        if (snprintf(beside, sizeof beside, "%s.new", path) >= (int)sizeof beside ||
            !address_of(beside, &address)) {
                errno = ENAMETOOLONG;
                return false;
        }
        /* Of somebody who was killed just here. */
        if (lstat(beside, &status) == 0 && S_ISSOCK(status.st_mode))
                unlink(beside);
        made->path = path;
        made->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        /* Before it listens nobody can connect, whatever its mode is. */
        if (made->fd >= 0 && bind(made->fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
            chmod(beside, S_IRUSR | S_IWUSR) == 0 && lstat(beside, &status) == 0 &&
            listen(made->fd, BACKLOG) == 0 && rename(beside, path) == 0) {
                made->device = status.st_dev;
                made->inode = status.st_ino;
                return true;
        }
        int error = errno;
        if (made->fd >= 0)
                close(made->fd);
        errno = error;
        return false;
}

const char *control_socket_open(struct control_socket *socket, const char *path, pid_t predecessor)
{
        bool is_taken;
        int lock_fd = lock_folder_of(path);
        const char *fault = control_socket_fault(path, predecessor, &is_taken);

        if (fault == NULL && !listen_at(socket, path))
                fault = strerrordesc_np(errno);
        if (lock_fd >= 0)
                close(lock_fd);
        return fault;
}

static void name_kept(const char *path, char ret_kept[static CONTROL_PATH_MAX + 8])
{
        snprintf(ret_kept, CONTROL_PATH_MAX + 8, "%s.kept", path);
}

bool control_socket_keep(const char *path)
{
        char kept[CONTROL_PATH_MAX + 8];

        name_kept(path, kept);
        unlink(kept); /* of somebody who was killed meanwhile */
        return link(path, kept) == 0;
}

/* A new name that leads to the same socket as the old one stays where it is. */
void control_socket_end_keeping(const char *path, bool puts_back)
{
        char kept[CONTROL_PATH_MAX + 8];

        name_kept(path, kept);
        if (puts_back)
                rename(kept, path);
        unlink(kept);
}

void control_socket_close(struct control_socket *socket)
{
        struct stat status;

        close(socket->fd);
        if (lstat(socket->path, &status) == 0 && status.st_dev == socket->device &&
            status.st_ino == socket->inode)
                unlink(socket->path);
}
