/* The thread of HTTP. It serves one door, or none, and looks at its host once a second. No session waits for it, and it
 * waits for nobody but the disk of the log: it sleeps until a client, a second or the main thread comes. */
#pragma once

#include "workers/http/door.h"
#include "workers/thread/waker.h"

#include <pthread.h>

struct http_server {
        /* Fixed after start. */
        void (*look)(void *context, uint64_t now_ms); /* called once a second while there is a door */
        /* Called before clients are served: does a piece of what is to be done meanwhile. True when there is more. */
        bool (*work)(void *context);
        void *context;
        pthread_t thread;
        bool is_started;

        /* Written by the main thread. */
        struct waker waker;
        _Atomic(struct http_door *)
            next; /* for the thread to serve from now on, which takes it over; NULL: no news */
        _Atomic bool is_stopping;

        /* Owner: the thread. */
        struct http_door *door; /* NULL: there is none */
        uint64_t look_ms;       /* when the next one is due */
};

/* False when descriptors or threads are out. */
bool http_server_start(struct http_server *server, void (*look)(void *context, uint64_t now_ms),
                       bool (*work)(void *context), void *context);
/* Main thread: the door takes the place of the one before, which closes with all its connections. Takes it over; NULL:
 * there is to be none. */
void http_server_use(struct http_server *server, struct http_door *door);
/* False when the thread runs still at this moment of clock_monotonic_ms(). */
bool http_server_stop(struct http_server *server, uint64_t until_ms);
/* After a stop that succeeded. */
void http_server_end(struct http_server *server);
