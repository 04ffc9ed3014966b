/* DNS for subcommands: a pool of one thread, waiting for its answers, and showing them. */
#pragma once

#include "dns/pool/pool.h"
#include "dns/pool/client.h"

struct cli_dns {
        struct dns_cache *cache;
        struct dns_pool *pool;
        struct dns_client *client;
        struct dns_source *source;
        int event_fd;
        _Atomic bool is_asleep;
};

/* The calling thread becomes a reader of RCU until cli_dns_close(). False when memory or descriptors are
 * out. */
bool cli_dns_open(struct cli_dns *dns, const struct endpoint *resolvers, size_t count);
/* The next answer to a question, valid until the next call; NULL when none comes in time. */
const struct dns_reply_message *cli_dns_wait(struct cli_dns *dns, int timeout_ms);
/* On standard output, "LABEL: NAME TYPE found, 2 records, ttl 60 s, 1 ms: 127.0.0.2, 127.0.0.4". */
void cli_dns_print(const char *label, const struct dns_question *question, const struct dns_answer *answer);
void cli_dns_close(struct cli_dns *dns);
