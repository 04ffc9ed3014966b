/* The path of the control socket: a unix socket that root and the server's own user may open. */
#pragma once

#include "conf/snapshot.h"

#include <stdbool.h>
#include <sys/types.h>

struct control_socket {
        int fd; /* listens, and never waits */
        const char *path;
        /* What we have put there: later it may be somebody else's. */
        dev_t device;
        ino_t inode;
};

/* Listens at the path, which stays the caller's. The socket of a server that has ended is replaced; that of one that
 * lives is not, unless it is `predecessor`, a process (0: there is none). NULL, or what stands against it, a
 * constant. */
const char *control_socket_open(struct control_socket *socket, const char *path, pid_t predecessor);
/* Closes it, and removes the path if it is still ours. */
void control_socket_close(struct control_socket *socket);
/* Keeps the socket at the path under another name, too, while another process may replace it; and puts it back, or lets
 * that be. False with errno. */
bool control_socket_keep(const char *path);
void control_socket_end_keeping(const char *path, bool puts_back);
/* What stands against making a socket there, a constant; NULL: nothing. *ret_is_taken: it is another server. It changes
 * nothing. */
const char *control_socket_fault(const char *path, pid_t predecessor, bool *ret_is_taken);
/* A connection to whoever listens there, or -1 with errno. It never waits. */
int control_socket_connect(const char *path);
