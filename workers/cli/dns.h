/* DNS for subcommands: a pool of one thread, waiting for its answers, and showing them. */
#pragma once

#include "dns/pool/pool.h"
#include "dns/pool/client.h"

struct cli_dns {
        struct dns_cache *cache;
        struct dns_pool *pool;
        struct dns_client *client;
        struct dns_source *source;
        uint64_t until_ms; /* monotonic: no wait is longer; 0: each has its own end. The caller's to set */
        int event_fd;
        _Atomic bool is_asleep;
};

/* The calling thread becomes a reader of RCU until cli_dns_close(). False when memory or descriptors are
 * out. */
bool cli_dns_open(struct cli_dns *dns, const struct endpoint *resolvers, size_t count);
/* The same with the resolvers and times of a configuration, which has some resolvers. A failure stays one to the end:
 * whoever asks again waits no more, and sees the same. */
bool cli_dns_open_configured(struct cli_dns *dns, const struct options *options);
/* The next answer to a question, valid until the next call; NULL when none comes in time, or `dns`, all zero, was never
 * opened. */
const struct dns_reply_message *cli_dns_wait(struct cli_dns *dns, int timeout_ms);
/* "found" or the like. */
const char *cli_dns_fact_name(enum fact fact);
/* Appends what the record says, so that a terminal obeys nothing in it. */
void cli_dns_put_record(struct text *text, enum dns_type type, const struct dns_record *record);
/* On standard output, "LABEL: NAME TYPE found, 2 records, ttl 60 s, 1 ms: 127.0.0.2, 127.0.0.4". */
void cli_dns_print(const char *label, const struct dns_question *question, const struct dns_answer *answer);
void cli_dns_close(struct cli_dns *dns);
