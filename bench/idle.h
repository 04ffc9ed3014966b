/* Idle connections: how much of the server's memory each takes. */
#pragma once

#include "bench/measure.h"

/* Opens `count` connections, says EHLO on each, and gives the user memory that the server grew by, octets a
 * connection; all are closed then. Less than 0 when it is not reached. */
double idle_memory(const struct sockaddr_in *server, const struct watched *watched, unsigned count);
/* The same, with the connections kept in *ret_fds. */
double idle_open(const struct sockaddr_in *server, const struct watched *watched, unsigned count,
                 int **ret_fds);
/* Frees `fds`; how many the server had closed. */
unsigned idle_close(int *fds, unsigned count);
