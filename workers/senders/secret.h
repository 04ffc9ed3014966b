/* The secret of the store's keys, in Redis: all machines that share the store must have the same. */
#pragma once

#include "workers/senders/redis_job.h"

struct kept_secret;

/* Owner: the store's thread. */
struct sender_secrets {
        struct sender_store *store;
        char name[SENDER_NAME_MAX]; /* under which it lies */
        size_t name_length;
        struct kept_secret
            *kept; /* all that there were, the newest first: workers may use an old one still */
        uint64_t asked_ms;
        bool is_missing; /* the server has none, and takes none */
};

void sender_secrets_init(struct sender_secrets *secrets, struct sender_store *store, const char *prefix);
void sender_secrets_end(struct sender_secrets *secrets);
/* Asks for it, and chooses one where there is none. */
void sender_secrets_ask(struct sender_secrets *secrets, redisAsyncContext *context);
/* The same when it is time to look again: somebody may have emptied the store, and another machine chosen. */
void sender_secrets_look(struct sender_secrets *secrets, redisAsyncContext *context, uint64_t now_ms);
