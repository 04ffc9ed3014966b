/* Slabs of connections, and a table by descriptor that grows with the highest. */
#include "workers/inbound/connection_table.h"

#include <stdlib.h>
#include <string.h>

#define SLAB_CONNECTIONS 64
#define TABLE_MIN        1024

struct slab {
        struct slab *next;
        struct connection connections[SLAB_CONNECTIONS];
};

static bool table_reaches(struct connections *connections, size_t fd)
{
        size_t count = connections->by_fd_count, larger = count == 0 ? TABLE_MIN : count;

        if (fd < count)
                return true;
        while (larger <= fd)
                larger *= 2;
        struct connection **by_fd = realloc(connections->by_fd, larger * sizeof(struct connection *));
        if (by_fd == NULL)
                return false;
        memset(by_fd + count, 0, (larger - count) * sizeof(struct connection *));
        connections->by_fd = by_fd;
        connections->by_fd_count = larger;
        return true;
}

static bool has_unused(struct connections *connections)
{
        if (!LIST_EMPTY(&connections->unused))
                return true;
        struct slab *slab = malloc(sizeof *slab);
        if (slab == NULL)
                return false;
        slab->next = connections->slabs;
        connections->slabs = slab;
        for (size_t i = 0; i < SLAB_CONNECTIONS; i++)
                LIST_INSERT_HEAD(&connections->unused, &slab->connections[i], entry);
        return true;
}

struct connection *connection_table_enter(struct connections *connections, int fd)
{
        if (!table_reaches(connections, (size_t)fd) || !has_unused(connections))
                return NULL;
        struct connection *connection = LIST_FIRST(&connections->unused);
        LIST_REMOVE(connection, entry);
        connections->by_fd[fd] = connection;
        return connection;
}

void connection_table_put_back(struct connections *connections, struct connection *connection)
{
        LIST_INSERT_HEAD(&connections->unused, connection, entry);
}

void connections_end(struct connections *connections)
{
        while (connections->slabs != NULL) {
                struct slab *slab = connections->slabs;
                connections->slabs = slab->next;
                free(slab);
        }
        free(connections->by_fd);
}
