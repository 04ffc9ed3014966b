/* Listening sockets that the process was started with: socket activation, as systemd does it. Whoever started us keeps
 * them open too. So closing ours closes nothing: clients would connect, and nobody would come. A socket that the
 * configuration does not want ignores clients, until a reload wants it or the process ends. */
#pragma once

#include "workers/inbound/accept/listener.h"

#define INHERITED_MAX 64

struct inherited_socket {
        int fd; /* 3 and on, as given; a listener has a descriptor of its own for it */
        struct endpoint endpoint;
        char path[108];               /* of a unix socket, which has no endpoint; empty: it is none */
        char name[ENDPOINT_TEXT_MAX]; /* the address, or what the starter calls it */
        const char *fault;            /* why it can be nobody's; NULL: it can be used */
};

struct inherited_list {
        struct inherited_socket sockets[INHERITED_MAX];
        size_t count, count_beyond; /* of which there is nothing here */
};

/* Reads LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES, and takes them out of the environment. To be called before any other
 * descriptor is opened, and before threads start. */
void inherited_read(struct inherited_list *ret_list);
/* A list like listeners_bind() makes it, of all inherited sockets of this endpoint; the first `count` acceptors share
 * them. NULL: there is none, or memory or descriptors are out. */
struct listener *inherited_listeners(const struct inherited_list *list, const struct endpoint *endpoint,
                                     bool needs_proxy_header, uint32_t count);
/* Whether it can be used, and is that of this endpoint or, where `path` is not NULL, the unix socket there. */
bool inherited_is_at(const struct inherited_socket *inherited, const struct endpoint *endpoint,
                     const char *path);
/* A descriptor of its own for the socket that is there; -1: there is none, or descriptors are out. For other services
 * than mail. */
int inherited_descriptor(const struct inherited_list *list, const struct endpoint *endpoint,
                         const char *path);
/* At the end of the process: whoever is next finds the sockets, and those in their queues. */
void inherited_hand_back(const struct inherited_list *list);
