/* A worker's side of the resolver pool: one thread, registered with RCU. */
#pragma once

#include "dns/pool/pool.h"

struct dns_reply_message {
        uint64_t handle;
        struct dns_question question;
        struct dns_answer answer;
};

/* Client `number` of 0..clients-1; the pool's. When an answer comes and *is_asleep, it is set to false and
 * event_fd, an eventfd, is written; both outlive the pool. To be called before the first question. */
struct dns_client *dns_pool_client(struct dns_pool *pool, uint32_t number, int event_fd,
                                   _Atomic bool *is_asleep);
/* For memos of this client's thread. Names must be in normal form, as memos give them. */
struct dns_source *dns_client_source(struct dns_client *client);
/* Once a turn: wakes those threads that sleep and have got questions. */
void dns_client_flush(struct dns_client *client);
/* The next answer, valid until the next call; NULL when there is none. */
const struct dns_reply_message *dns_client_receive(struct dns_client *client);
/* Before sleep, after *is_asleep has been set and a full fence. */
bool dns_client_has_answers(const struct dns_client *client);
