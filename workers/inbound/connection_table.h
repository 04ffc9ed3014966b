/* Where a worker's connections lie: their memory, which is not given back while the worker runs, and which
 * descriptor is whose. Owner: the worker. */
#pragma once

#include "workers/inbound/connection.h"

/* False when memory is out. */
bool connections_init(struct connections *connections);
/* Gives all memory back; none is open. */
void connections_end(struct connections *connections);

/* Unused memory for a connection of this descriptor, to be set but for its generation, or NULL when memory is
 * out. */
struct connection *connection_table_take(struct connections *connections);
/* It is open: events of its descriptor are its own. */
void connection_table_enter(struct connections *connections, struct connection *connection);
/* Before the descriptor is closed: an event of it that comes late must not find whoever is given the number
 * next. */
void connection_table_leave(struct connections *connections, struct connection *connection);
/* It has left, and is in no list: its memory may be used anew. */
void connection_table_put_back(struct connections *connections, struct connection *connection);

static inline struct connection_list *connection_bucket(const struct connections *connections, int fd)
{
        return &connections->buckets[(size_t)fd & (connections->bucket_count - 1)];
}

/* NULL when there is none. */
static inline struct connection *connection_table_find(const struct connections *connections, int fd)
{
        struct connection *connection = LIST_FIRST(connection_bucket(connections, fd));

        while (connection != NULL && connection->fd != fd)
                connection = LIST_NEXT(connection, entry);
        return connection;
}
/* Each open one, of which the one at hand may end. */
void connections_for_each(struct worker *worker,
                          void (*act)(struct worker *worker, struct connection *connection));

/* Where the connection lies, and which use of that place it is: 48 and 16 bits. */
uint64_t connection_handle(const struct connection *connection);
/* NULL when the connection has gone. */
struct connection *connection_by_handle(uint64_t handle);
