/* The control thread: it takes orders from a unix socket, a line each, and answers in lines of JSON. What changes
 * something it hands to the main thread and waits for the outcome. It is on no session's way, and waits for nobody. */
#pragma once

#include "workers/control/board.h"
#include "workers/control/client.h"
#include "workers/local/socket.h"

#include <pthread.h>
#include <stdbool.h>

#define CONTROL_CLIENTS_MAX 8

struct control_parts {
        const char *path;           /* of the socket */
        pid_t predecessor;          /* whose socket there may be replaced; 0: nobody's */
        pthread_t main;             /* the thread that executes orders ... */
        int signal_number;          /* ... and what it is sent when there is one */
        struct follow_board *board; /* of those who follow sessions live */
};

struct control {
        /* Fixed after start. */
        struct control_parts parts;
        int socket_fd;
        struct local_file file; /* of the socket */
        int event_fd;           /* something is to be seen */
        pthread_t thread;
        bool is_started;

        _Atomic bool is_stopping;
        const char *farewell; /* set before `is_stopping` */
        struct control_job job;

        /* Owner: the thread. */
        struct control_client *clients;
        char *octets; /* of all answers */
        uint64_t asked;
        uint64_t deaf_until_ms; /* nobody is accepted before then */
};

/* Opens the socket; NULL, or what stands against it, a constant. */
const char *control_init(struct control *control, const struct control_parts *parts);
bool control_start(struct control *control);
/* Main thread: the order that waits for it, or NULL. */
struct control_job *control_next(struct control *control);
/* Main thread: ends the job. `error`: why it was not done, or NULL. */
void control_done(struct control *control, struct control_job *job, const char *error);
/* Main thread: all who wait are told this, a constant, and the socket goes. False when the thread runs still at
 * this moment of clock_monotonic_ms(). */
bool control_stop(struct control *control, const char *farewell, uint64_t until_ms);
void control_end(struct control *control);
