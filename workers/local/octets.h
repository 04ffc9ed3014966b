/* Octets through sockets that let nobody wait. A call that a signal interrupts is made again. */
#pragma once

#include "conf/recipients/daemon.h"
#include "core/base/text.h"

#include <stdbool.h>
#include <sys/types.h>

/* A TCP connection, which comes about or has; what is written in one piece waits for nobody's acknowledgement (Nagle).
 * -1 with errno. */
int socket_connect(const struct endpoint *endpoint);
/* Gives *octets to the kernel, and advances past what it took: all of it, or as much as there is room for. `flags` of
 * send(2), beside MSG_NOSIGNAL. False, with errno: the connection is broken. */
bool socket_send(int fd, struct span *octets, int flags);
/* As recv(2). */
ssize_t socket_receive(int fd, char *room, size_t size);
