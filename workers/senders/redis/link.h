/* One connection to a server of an instance, with the jobs that it has, from the greeting to its end. It says that it
 * must be left, and its node leaves it. */
#pragma once

#include "workers/senders/redis/wire.h"
#include "workers/senders/secret.h"

struct redis_node;

struct redis_link {
        struct redis_wire wire; /* first */
        struct redis_node *node;
        uint64_t begun_ms;
        bool is_ready;     /* the script is there */
        bool must_leave;   /* the server is of no use, which the wire says why */
        bool is_refused;   /* because it answers with an error */
        bool is_no_master; /* though sentinels have told of it */
        char script[64];   /* its name */
        struct sender_secret_question secret;
        struct sender_job *first, *last; /* under way, the oldest first */
};

/* Begins a connection. NULL when memory is out. Where it cannot begin its wire has ended. */
struct redis_link *redis_link_new(struct redis_node *node, const struct endpoint *server, uint64_t now_ms);
/* What is under way fails. */
void redis_link_free(struct redis_link *link);
/* Sends the job, which comes back answered. False when the connection is of no use. */
bool redis_link_send(struct redis_link *link, struct sender_job *job);
/* True when it takes jobs. */
bool redis_link_is_open(const struct redis_link *link);
