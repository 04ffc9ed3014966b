/* The listening socket of HTTP: an address, or a unix socket in a folder that its user may write. Owner: the main
 * thread. */
#pragma once

#include "conf/snapshot.h"
#include "workers/local/socket.h"

/* "unix:" and the longest path of a socket, or an address and a port, with a terminator. */
#define HTTP_PLACE_MAX (SOCKET_PATH_MAX + 6)

struct http_socket {
        int fd;                    /* -1: there is none */
        char name[HTTP_PLACE_MAX]; /* as in the configuration */
        bool is_adopted;           /* it has listened before */
        bool is_inherited;         /* others keep it open, too */
        bool has_file;             /* it is a unix socket, and its file is ours to remove */
        struct local_file file;
};

/* "127.0.0.1:8025" or "unix:/PATH", terminated. */
void http_target_write(const struct http_target *target, char ret_name[static HTTP_PLACE_MAX]);
/* Binds; nobody can connect before http_socket_listen(). A file that a server has left behind at a unix socket's path
 * makes room. False with errno; EADDRINUSE also where somebody listens at the path, or another file is there. */
bool http_socket_bind(const struct http_target *target, struct http_socket *ret_socket);
/* The same of a socket that listens already, and that others keep open as well, or not: then its file is ours. Takes
 * the descriptor over. */
void http_socket_adopt(const struct http_target *target, int fd, bool is_inherited,
                       struct http_socket *ret_socket);
/* False with errno. */
bool http_socket_listen(const struct http_socket *socket);
/* Closes it, and removes its file where that is still the one that was made. Nothing where there is no socket. */
void http_socket_close(struct http_socket *socket);
