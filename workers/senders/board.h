/* What pages show of the instances of Redis. The store's thread writes when something has changed, which is rare, and
 * no session reads: a lock is good enough. */
#pragma once

#include "core/senders/sender.h"

#include <pthread.h>

#define SENDER_BOARD_TEXT_MAX 128 /* octets, with a NUL */

struct sender_board_row {
        char name[SENDER_BOARD_TEXT_MAX];     /* of the instance */
        char server[SENDER_BOARD_TEXT_MAX];   /* that serves, or has served last; empty: none has */
        char sentinel[SENDER_BOARD_TEXT_MAX]; /* that is asked; empty: there are none */
        bool is_reachable;
        int64_t since_s;          /* since 1970: since when it is, or is not */
        uint64_t servers_changed; /* times that another server began to serve */
        uint64_t failures;        /* connections that have failed, or were left */
};

struct sender_board {
        pthread_mutex_t lock;
        size_t count;
        struct sender_board_row rows[SENDER_SHARES_MAX];
};

void sender_board_write(struct sender_board *board, size_t number, size_t count,
                        const struct sender_board_row *row);
/* Returns how many rows there are. */
size_t sender_board_read(struct sender_board *board,
                         struct sender_board_row ret_rows[static SENDER_SHARES_MAX]);
