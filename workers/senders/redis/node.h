/* An instance of Redis: which server of it is connected to, whether it answers, and what is asked of it for ourselves.
 * There is one connection that serves; beside it there may be one to another server that shall serve, and one that
 * serves no more and whose last answers come in. */
#pragma once

#include "workers/senders/board.h"
#include "workers/senders/feed.h"
#include "workers/senders/redis/herald.h"
#include "workers/senders/redis/link.h"
#include "workers/senders/redis/sentinel.h"
#include "workers/senders/secret.h"

#define REDIS_NODE_POLLS 4 /* connections at most: three, and one to a sentinel */

/* What workers read of all instances: it stays until they have ended, for they may use an old one still. */
struct redis_shares {
        struct redis_shares *next;
        struct sender_placing placing;
        struct sender_secrets secrets[SENDER_SHARES_MAX];
};

struct redis_node {
        /* Fixed. */
        struct sender_store *store;
        const struct redis_settings *settings;
        const char *name;
        const struct redis_servers *servers; /* none: sentinels are asked */
        struct sender_share *share;
        struct sender_secrets *secrets;
        size_t number; /* among all instances */
        struct sender_trouble trouble, sentinel_trouble;

        struct sender_feed feed;
        struct redis_herald herald;
        struct redis_sentinel sentinel;
        struct redis_link *link;      /* serves; NULL: none */
        struct redis_link *candidate; /* shall serve */
        struct redis_link *draining;  /* has answers to give */
        uint64_t drained_by_ms;
        size_t at;              /* of the servers: the one connected to, or next */
        struct endpoint target; /* to be connected to; port 0: sentinels have not told yet */
        struct endpoint good;   /* the last one that served; port 0: none has */
        unsigned failures;      /* since then */
        uint64_t retry_at_ms, backoff_ms;
        struct sender_board_row told; /* what the board has of it */
        bool is_news;                 /* that the board does not have yet */
        bool is_leaving;              /* it has answers to give, and nothing else to do */
};

void redis_node_init(struct redis_node *node, struct sender_store *store,
                     const struct redis_settings *settings, struct redis_shares *shares, size_t number);
/* Only what was asked is answered still. */
void redis_node_leave(struct redis_node *node);
/* Looks after the connections, once a turn. `record`: what this machine tells of itself; NULL: nothing yet. */
void redis_node_turn(struct redis_node *node, const struct redis_record *record, uint64_t now_ms);
/* Takes the job, which comes back answered. False when nobody serves. */
bool redis_node_send(struct redis_node *node, struct sender_job *job);
/* Of a link: the job is done. */
void redis_node_return(struct redis_node *node, struct sender_job *job);
/* Nothing was asked that is not answered. */
bool redis_node_is_idle(const struct redis_node *node);
/* True when it serves, and has seen to everything it begins with. */
bool redis_node_serves(const struct redis_node *node);
/* No more jobs come. */
void redis_node_close(struct redis_node *node);
/* Returns how many were filled in. */
size_t redis_node_poll(const struct redis_node *node, struct pollfd events[static REDIS_NODE_POLLS]);
/* `events`: those of redis_node_poll(), with no turn between. */
void redis_node_handle(struct redis_node *node, const struct pollfd events[static REDIS_NODE_POLLS]);
/* Returns how long the thread may sleep without an event. */
uint64_t redis_node_wait_ms(const struct redis_node *node, uint64_t now_ms);
