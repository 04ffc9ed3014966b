/* The snapshots that are in use. */
#include "workers/server/bounds/generations.h"

#include <stdio.h>

void generations_look(struct server *server)
{
        size_t replaced = publication_reap(&server->publication);
        counter_set(&server->own_counters.metrics[METRIC_generations], replaced + 1);
}

static void tell(struct server *server, uint64_t max)
{
        char in_use[24], limit[24];

        snprintf(in_use, sizeof in_use, "%llu",
                 (unsigned long long)counter_read(&server->own_counters.metrics[METRIC_generations]));
        snprintf(limit, sizeof limit, "%llu", (unsigned long long)max);
        log_event(&server->log, "generations_exceeded", "in_use", in_use, "max", limit, NULL);
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
