/* Servers that the bench starts, each in a folder and, where possible, a cgroup of its own. */
#pragma once

#include "bench/measure.h"
#include "bench/options.h"
#include "bench/peers/table.h"

#include <netinet/in.h>

struct server {
        struct server *next; /* of those that run */
        /* The process that ends the server if we do not; 0 if there is none. */
        enum peer_kind kind;
        struct watched watched;
        pid_t cleaner;
        struct sockaddr_in address;
        char folder[256];
};

/* Returns when the server greets; ends the program, with the server's own words, when it does not. */
struct server *server_start(const struct bench_options *options, enum peer_kind kind, bool is_durable);
/* Ends it, removes its folder and frees `server`. */
void server_stop(struct server *server);
bool server_is_alive(const struct server *server);
