/* The secret of the keys of an instance of Redis, which lies there: all machines that share it must have the same. Each
 * connection asks its server for it; only that of a server that serves is kept, and makes keys. */
#pragma once

#include "workers/senders/redis_job.h"

struct kept_secret;

/* Owner: the store's thread. */
struct sender_secrets {
        struct sender_share *share; /* whose secret it is */
        char name[SENDER_NAME_MAX]; /* under which it lies */
        size_t name_length;
        struct kept_secret *kept; /* all that there were: workers may use an old one still */
};

/* What one server says of it. */
struct sender_secret_question {
        struct sender_secret found;
        bool is_found;   /* and has not been kept yet */
        bool is_missing; /* the server has none, and takes none */
        char fault[128]; /* of a missing one: why */
        uint64_t asked_ms;
};

void sender_secrets_init(struct sender_secrets *secrets, struct sender_share *share, const char *prefix);
void sender_secrets_end(struct sender_secrets *secrets);
/* Makes keys with what was found since the last call, if anything was. False when memory is out. */
bool sender_secrets_keep(struct sender_secrets *secrets, struct sender_secret_question *question);
/* Asks for it, and chooses one where there is none. The question lives as long as the connection. */
void sender_secrets_ask(const struct sender_secrets *secrets, struct sender_secret_question *question,
                        redisAsyncContext *context);
/* The same when it is time to look again: somebody may have emptied the store, and another machine chosen. */
void sender_secrets_look(const struct sender_secrets *secrets, struct sender_secret_question *question,
                         redisAsyncContext *context, uint64_t now_ms);
