/* The snapshots that are in use. */
#include "workers/server/bounds/generations.h"

void generations_look(struct server *server)
{
        size_t replaced = publication_reap(&server->publication);
        if (replaced == 0)
                feed_keeper_drop_unused(&server->feeds);
        counter_set(&server->own_counters.metrics[METRIC_generations], replaced + 1);
}

static void tell(struct server *server, uint64_t max)
{
        log_event(&server->log, "generations_exceeded",
                  LOG_NUMBER("in_use", counter_read(&server->own_counters.metrics[METRIC_generations])),
                  LOG_NUMBER("max", max), NULL);
}

void generations_bound(struct server *server)
{
        const struct published *published = atomic_load(&server->publication.published);
        uint64_t max = published->snapshot->options.generations_max;

        generations_look(server);
        if (!publication_age(&server->publication, max))
                return;
        tell(server, max);
        for (uint32_t i = 0; i < server->worker_count; i++)
                worker_wake(&server->workers[i]);
}
