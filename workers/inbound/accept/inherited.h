/* Listening sockets that the process was started with: socket activation, as systemd does it. Whoever started us keeps
 * them open too. So closing ours closes nothing: clients would connect, and nobody would come. A socket that the
 * configuration does not want ignores clients, until a reload wants it or the process ends.
 *
 * Some are ours alone: a predecessor has handed them over, or they are about to be handed over to a successor. These
 * leave the list when they are used. */
#pragma once

#include "conf/value/list.h"
#include "workers/inbound/accept/listener.h"

#define INHERITED_MAX 250 /* as many as can be handed over */

struct inherited_socket {
        int fd;       /* 3 and on, as given; a listener has a descriptor of its own for it */
        bool is_ours; /* nobody else keeps it open */
        struct endpoint endpoint;
        char path[108]; /* of a unix socket, which has no endpoint; empty: it is none */
        /* Of one that is ours, whose name in the kernel is another; NULL: `path` is it. */
        const char *own_path;
        char name[ENDPOINT_TEXT_MAX]; /* the address, or what the starter calls it */
        const char *fault;            /* why it can be nobody's; NULL: it can be used */
};

struct inherited_list {
        struct inherited_socket sockets[INHERITED_MAX];
        size_t count, count_beyond; /* of which there is nothing here */
};

/* Reads LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES. Sockets of the name `own` are ours. To be called before any other
 * descriptor is opened. */
void inherited_read(struct inherited_list *ret_list, const char *own);
/* The path of the unix socket that is ours, which stays the caller's. */
void inherited_set_path(struct inherited_list *list, const char *path);
/* Takes what was given under this name, which is no socket that listens, out of the list. -1: there is none. */
int inherited_take(struct inherited_list *list, const char *name);
/* A list like listeners_bind() makes it, of all inherited sockets of this endpoint; the first `count` acceptors share
 * them. NULL: there is none, or memory or descriptors are out. */
struct listener *inherited_listeners(struct inherited_list *list, const struct endpoint *endpoint,
                                     bool needs_proxy_header, uint32_t count);
/* Whether it can be used, and is that of this endpoint or, where `path` is not NULL, the unix socket there. */
bool inherited_is_at(const struct inherited_socket *inherited, const struct endpoint *endpoint,
                     const char *path);
/* A descriptor of its own for the socket that is there; -1: there is none, or descriptors are out. For other services
 * than mail. */
int inherited_descriptor(struct inherited_list *list, const struct endpoint *endpoint, const char *path,
                         bool *ret_is_ours);
/* A listener of the first socket that is ours and takes mail: of what a predecessor had, and nobody has taken. NULL:
 * there is none, or memory is out. */
struct listener *inherited_next_left(struct inherited_list *list);
/* Another descriptor of a socket of ours comes to the list, where its path is NULL of this endpoint. False: there is no
 * room, or descriptors are out. */
bool inherited_offer(struct inherited_list *list, const struct endpoint *endpoint, const char *path, int fd);
/* Closes those that are ours, or all of them. */
void inherited_close(struct inherited_list *list, bool only_ours);
/* At the end of the process: whoever is next finds the sockets, and those in their queues. */
void inherited_hand_back(const struct inherited_list *list);
