/* Idle connections: how much of the server's memory each takes. */
#pragma once

#include "bench/measure.h"
#include "bench/options.h"

#include <netinet/in.h>

/* Opens `count` connections, says EHLO on each, and gives the user memory that the server grew by, octets a
 * connection; all are closed then. Less than 0 when it is not reached. */
double idle_memory(const struct sockaddr_in *server, const struct watched *watched, unsigned count);
/* The same with TLS, and another EHLO after the handshake. */
double idle_memory_secure(const struct sockaddr_in *server, const struct watched *watched, unsigned count);
struct idle {
        int *fds;
        unsigned open;
        double octets; /* as above */
};

/* Does the same and keeps the connections open. */
struct idle idle_open(const struct sockaddr_in *server, const struct watched *watched, unsigned count);
/* Closes them, and says how many the server had closed before. */
unsigned idle_close(struct idle *idle);

/* Returns the program's exit code, 1 when the connections are not reached. */
int idle_command(const struct bench_options *options, int count, char **arguments);
