/* Where HTTP comes in: libmicrohttpd over one listening socket, without a thread of its own. Whoever is slow, says
 * nothing or asks for much has a bound and a deadline:
 *
 *      connections at a time        HTTP_CONNECTIONS_MAX; more wait in the socket's queue
 *      a connection, all in all     HTTP_DEADLINE_MS, and one request
 *      the request with its header  HTTP_REQUEST_MAX; more is answered 431
 *      its body                     not read; only GET and HEAD are answered by more than 405 */
#pragma once

#include "workers/http/route.h"
#include "workers/http/socket.h"

#define HTTP_CONNECTIONS_MAX 32
#define HTTP_DEADLINE_MS     10000
#define HTTP_REQUEST_MAX     16384
#define HTTP_FAREWELL_MS     200 /* in which those who are let in may still ask, when it closes */

/* Of the process, for HTTP. */
#define HTTP_DESCRIPTORS (HTTP_CONNECTIONS_MAX + 6)

struct MHD_Daemon;

/* A client. */
struct http_client {
        int fd; /* -1: the place is free */
        uint64_t begun_ms;
};

struct http_door {
        /* Fixed from the beginning. */
        struct MHD_Daemon *daemon; /* NULL: nobody is let in */
        int epoll_fd;
        struct http_socket socket;
        const struct http_route *routes; /* end with a path that is NULL */
        void *context;                   /* of the handlers */
        char *page;                      /* HTTP_PAGE_MAX octets for the answer at hand */

        /* Owner: the thread that serves it. */
        struct http_client clients[HTTP_CONNECTIONS_MAX];
};

/* Takes the socket over, which listens. NULL when memory or descriptors are out; then it is closed. */
struct http_door *http_door_open(const struct http_socket *socket, const struct http_route *routes,
                                 void *context);
/* Serves whoever is there, and waits for nobody. */
void http_door_serve(struct http_door *door);
/* Shuts out those whose time is over. */
void http_door_look(struct http_door *door, uint64_t now_ms);
/* How long nobody needs to call, if no descriptor tells; `longest_ms` at most. */
uint64_t http_door_pause_ms(const struct http_door *door, uint64_t longest_ms);
/* Lets nobody in any more, answers those who are there, and closes it with its socket and who is left. NULL is none. */
void http_door_close(struct http_door *door);
