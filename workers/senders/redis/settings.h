/* What a configuration says of Redis, copied: it outlives the snapshot that it comes from. */
#pragma once

#include "conf/complaints.h"
#include "workers/senders/redis_job.h"

#include <openssl/types.h>

#define REDIS_NAME_MAX   128 /* octets, with a NUL: of an instance */
#define REDIS_SECRET_MAX 256 /* the same: of a user, a password, the name of a certificate */

/* Servers in the order in which they are tried. */
struct redis_servers {
        struct endpoint list[REDIS_SERVERS_MAX];
        size_t count;
};

/* Fixed. */
struct redis_settings {
        struct {
                char name[REDIS_NAME_MAX];
                struct redis_servers servers; /* none: sentinels are asked */
        } instances[REDIS_INSTANCES_MAX];
        size_t instance_count;
        struct redis_servers sentinels;
        uint64_t timeout_ms;
        char prefix[SENDER_PREFIX_MAX];
        char user[REDIS_SECRET_MAX], password[REDIS_SECRET_MAX]; /* empty: none */
        SSL_CTX *tls;                                            /* NULL: it is not spoken */
        char tls_name[REDIS_SECRET_MAX];                         /* empty: the address */
};

/* Any thread; it blocks on files. NULL with complaints. */
struct redis_settings *redis_settings_make(const struct snapshot *snapshot,
                                           struct conf_complaints *complaints);
void redis_settings_free(struct redis_settings *settings);
