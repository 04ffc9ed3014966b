/* The servers that the bench can start: what peers.def says of each. */
#pragma once

#include <stdbool.h>

enum peer_kind {
#define PEER(name, ...) PEER_##name,
#include "bench/peers/peers.def"
#undef PEER
        PEERS
};

const char *peer_name(enum peer_kind kind);
/* The row's command, with its placeholders. */
const char *peer_command(enum peer_kind kind);
/* The row's word for storing messages, or for throwing them away. */
const char *peer_deliver(enum peer_kind kind, bool is_durable);
/* Whether it greets, and takes what is not TLS. */
bool peer_speaks_smtp(enum peer_kind kind);
bool peer_speaks_tls(enum peer_kind kind);
/* Whether `names`, with commas between them, has this server; NULL has all. */
bool peer_is_named(const char *names, enum peer_kind kind);
/* Ends the program when there is none of that name. */
enum peer_kind peer_find(const char *name);
