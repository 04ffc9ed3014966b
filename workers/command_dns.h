/* DNS for subcommands: a pool of one thread, and waiting for its answers. */
#pragma once

#include "dns/pool.h"

struct command_dns {
        struct dns_cache *cache;
        struct dns_pool *pool;
        struct dns_client *client;
        struct dns_source *source;
        int event_fd;
        _Atomic bool is_asleep;
};

/* The calling thread becomes a reader of RCU until command_dns_close(). False when memory or descriptors are
 * out. */
bool command_dns_open(struct command_dns *dns, const struct endpoint *resolvers, size_t count);
/* The next answer to a question, valid until the next call; NULL when none comes in time. */
const struct dns_reply_message *command_dns_wait(struct command_dns *dns, int timeout_ms);
void command_dns_close(struct command_dns *dns);
