/* The rows of peers.def. */
#include "bench/peers/table.h"

#include "bench/common.h"

#include <string.h>

enum peer_tls { PLAIN, STARTTLS, AT_ONCE };

static const struct peer {
        const char *name, *command, *deliver[2];
        enum peer_tls tls;
} peers[] = {
#define PEER(name, command, discard, durable, tls) {#name, command, {discard, durable}, tls},
#include "bench/peers/peers.def"
#undef PEER
};

const char *peer_name(enum peer_kind kind)
{
        return peers[kind].name;
}

const char *peer_command(enum peer_kind kind)
{
        return peers[kind].command;
}

const char *peer_deliver(enum peer_kind kind, bool is_durable)
{
        return peers[kind].deliver[is_durable];
}

bool peer_speaks_smtp(enum peer_kind kind)
{
        return peers[kind].tls != AT_ONCE;
}

bool peer_speaks_tls(enum peer_kind kind)
{
        return peers[kind].tls != PLAIN;
}

bool peer_is_named(const char *names, enum peer_kind kind)
{
        const char *name = peer_name(kind);
        size_t length = strlen(name);

        for (const char *at = names; at != NULL; at = strchr(at, ',')) {
                at += *at == ',';
                if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == '\0'))
                        return true;
        }
        return names == NULL;
}

enum peer_kind peer_find(const char *name)
{
        for (unsigned i = 0; i < PEERS; i++)
                if (strcmp(peers[i].name, name) == 0)
                        return (enum peer_kind)i;
        bench_fail("no such server: %s", name);
}
