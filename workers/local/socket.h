/* Unix sockets by their path (unix(7)), however deep their folder is. Of a path that has no room in a socket's address
 * the folder is opened, and named by /proc/self/fd. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* The file of a socket that we have made: later it may be somebody else's. */
struct local_file {
        dev_t device;
        ino_t inode;
};

/* Makes a socket with this mode, which listens where `backlog` is not 0, and otherwise lets nobody in yet. That of a
 * server that has ended is replaced, that of one that lives is not, unless it is `predecessor`, a process (0: there is
 * none), and neither is any other file. -1 with errno and *ret_fault: what stands against it, a constant. */
int local_socket_open(const char *path, mode_t mode, int backlog, pid_t predecessor,
                      struct local_file *ret_file, const char **ret_fault);
/* The file that is there. False with errno. */
bool local_file_find(const char *path, struct local_file *ret_file);
/* Keeps the socket at the path under another name, too, while another process may replace it; false with errno. And
 * puts it back, or lets that be. */
bool local_socket_keep(const char *path);
void local_socket_end_keeping(const char *path, bool puts_back);
/* Removes the file where it is a socket, and nobody listens any more. */
void local_socket_sweep(const char *path);
/* Removes the file if it is still this one. */
void local_socket_remove(const char *path, const struct local_file *file);
/* What stands against making a socket there, a constant; NULL: nothing. *ret_is_taken: it is another server. It changes
 * nothing. */
const char *local_socket_fault(const char *path, bool *ret_is_taken);
/* A connection to whoever listens there, or -1 with errno. It never waits. */
int local_socket_connect(const char *path);
