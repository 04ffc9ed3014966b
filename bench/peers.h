/* Servers that the bench starts, each in a folder and, where possible, a cgroup of its own. */
#pragma once

#include "bench/measure.h"
#include "bench/options.h"

#include <netinet/in.h>

enum peer_kind {
#define PEER(name, ...) PEER_##name,
#include "bench/peers.def"
#undef PEER
        PEERS
};

struct server {
        struct server *next; /* of those that run */
        enum peer_kind kind;
        struct watched watched;
        pid_t keeper;
        struct sockaddr_in address;
        char folder[256];
};

const char *peer_name(enum peer_kind kind);
/* With its placeholders. */
const char *peer_command(enum peer_kind kind);
/* Whether `names`, with commas between them, has it; NULL has all. */
bool peer_is_named(const char *names, enum peer_kind kind);
/* Ends the program when there is none of that name. */
enum peer_kind peer_find(const char *name);
/* Returns when the server greets; ends the program, with the server's own words, when it does not. */
struct server *server_start(const struct bench_options *options, enum peer_kind kind, bool is_durable);
/* Ends it, removes its folder and frees `server`. */
void server_stop(struct server *server);
bool server_is_alive(const struct server *server);
