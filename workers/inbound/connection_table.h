/* Where a worker's connections lie: their memory, which is not given back while the worker runs, and which
 * descriptor is whose. Owner: the worker. */
#pragma once

#include "workers/inbound/connection.h"

/* Unused memory for a connection of this descriptor, in the table already; NULL when memory is out. All but
 * its generation is to be set. */
struct connection *connection_table_enter(struct connections *connections, int fd);
/* Before the descriptor is closed: an event of it that comes late must not find whoever is given the number
 * next. */
static inline void connection_table_leave(struct connections *connections, struct connection *connection)
{
        connections->by_fd[connection->fd] = NULL;
}

/* After it has left, and is in no list: its memory may be used anew. */
void connection_table_put_back(struct connections *connections, struct connection *connection);
/* NULL when there is none. */
static inline struct connection *connection_table_find(const struct connections *connections, int fd)
{
        return (size_t)fd < connections->by_fd_count ? connections->by_fd[fd] : NULL;
}

/* Gives all memory back; none is open. */
void connections_end(struct connections *connections);
