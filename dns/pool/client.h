/* A worker's side of the resolver pool: one thread, registered with RCU. */
#pragma once

#include "dns/pool/pool.h"

struct dns_reply_message {
        uint64_t handle;
        struct dns_question question;
        struct dns_answer answer;
};

/* Returns client `number`, from 0 to clients - 1, which the pool owns. When an answer comes while *is_asleep
 * is true, it is set to false and event_fd, an eventfd, is written. Both outlive the pool. It is to be called
 * before the first question. */
struct dns_client *dns_pool_client(struct dns_pool *pool, uint32_t number, int event_fd,
                                   _Atomic bool *is_asleep);
/* Returns the source for memos of this client's thread. It takes names in normal form, as memos give them. */
struct dns_source *dns_client_source(struct dns_client *client);
/* Wakes those threads that sleep and have got questions. It is to be called once a turn. */
void dns_client_flush(struct dns_client *client);
/* Returns the next answer, which is valid until the next call, or NULL when there is none. */
const struct dns_reply_message *dns_client_receive(struct dns_client *client);
/* True when there is something to receive. Before sleep it is to be asked once more, after *is_asleep has
 * been set and a full fence. */
bool dns_client_has_answers(const struct dns_client *client);
