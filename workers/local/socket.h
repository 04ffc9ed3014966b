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
 * server that has ended is replaced, that of one that lives is not, and neither is any other file. -1 with errno and
 * *ret_fault: what stands against it, a constant. */
int local_socket_open(const char *path, mode_t mode, int backlog, struct local_file *ret_file,
                      const char **ret_fault);
/* Removes the file if it is still this one. */
void local_socket_remove(const char *path, const struct local_file *file);
/* What stands against making a socket there, a constant; NULL: nothing. *ret_is_taken: it is another server. It changes
 * nothing. */
const char *local_socket_fault(const char *path, bool *ret_is_taken);
/* A connection to whoever listens there, or -1 with errno. It never waits. */
int local_socket_connect(const char *path);
