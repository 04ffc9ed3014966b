/* Slabs of connections, and a hash table by descriptor. Descriptors are dense: their low bits are a good hash,
 * though other workers have most of them. */
#include "workers/inbound/connection_table.h"

#include "workers/inbound/worker.h"

#include <stdlib.h>

#define SLAB_CONNECTIONS 64
#define BUCKETS_MIN      256

struct slab {
        struct slab *next;
        struct connection connections[SLAB_CONNECTIONS];
};

bool connections_init(struct connections *connections)
{
        *connections = (struct connections){
            .buckets = calloc(BUCKETS_MIN, sizeof connections->buckets[0]),
            .bucket_count = BUCKETS_MIN,
        };
        return connections->buckets != NULL;
}

void connections_end(struct connections *connections)
{
        while (connections->slabs != NULL) {
                struct slab *slab = connections->slabs;
                connections->slabs = slab->next;
                free(slab);
        }
        free(connections->buckets);
}

/* ---- memory -------------------------------------------------------------------------------------------- */

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

struct connection *connection_table_take(struct connections *connections)
{
        if (!has_unused(connections))
                return NULL;
        struct connection *connection = LIST_FIRST(&connections->unused);
        LIST_REMOVE(connection, entry);
        return connection;
}

void connection_table_put_back(struct connections *connections, struct connection *connection)
{
        LIST_INSERT_HEAD(&connections->unused, connection, entry);
}

/* ---- table --------------------------------------------------------------------------------------------- */

/* Without memory the chains get longer. */
static void table_grow(struct connections *connections)
{
        size_t count = connections->bucket_count;
        struct connection_list *before = connections->buckets;
        struct connection_list *buckets = calloc(2 * count, sizeof buckets[0]);

        if (buckets == NULL)
                return;
        connections->buckets = buckets;
        connections->bucket_count = 2 * count;
        for (size_t i = 0; i < count; i++) {
                struct connection *connection;
                while ((connection = LIST_FIRST(&before[i])) != NULL) {
                        LIST_REMOVE(connection, entry);
                        LIST_INSERT_HEAD(connection_bucket(connections, connection->fd), connection, entry);
                }
        }
        free(before);
}

void connection_table_enter(struct connections *connections, struct connection *connection)
{
        if (connections->open_count++ >= connections->bucket_count)
                table_grow(connections);
        LIST_INSERT_HEAD(connection_bucket(connections, connection->fd), connection, entry);
}

void connection_table_leave(struct connections *connections, struct connection *connection)
{
        LIST_REMOVE(connection, entry);
        connections->open_count--;
}

void connections_for_each(struct worker *worker,
                          void (*act)(struct worker *worker, struct connection *connection))
{
        for (size_t i = 0; i < worker->connections.bucket_count; i++) {
                struct connection *next;
                for (struct connection *connection = LIST_FIRST(&worker->connections.buckets[i]);
                     connection != NULL; connection = next) {
                        next = LIST_NEXT(connection, entry);
                        act(worker, connection);
                }
        }
}

/* ---- handles ------------------------------------------------------------------------------------------- */

uint64_t connection_handle(const struct connection *connection)
{
        return (uint64_t)connection->generation << 48 | (uint64_t)(uintptr_t)connection;
}

/* The memory of connections is never given back while the worker runs. */
struct connection *connection_by_handle(uint64_t handle)
{
        struct connection *connection = (struct connection *)(uintptr_t)(handle & ((UINT64_C(1) << 48) - 1));
        return connection_handle(connection) == handle && !connection->has_ended ? connection : NULL;
}
