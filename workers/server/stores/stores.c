/* Delivery threads and hop threads, all of them at a time. */
#include "workers/server/stores/stores.h"

#include "workers/log/console.h"

static bool init_hops(struct server *server, const struct options *options)
{
        struct hop_settings settings;

        server->hops = calloc(server->hop_count, sizeof server->hops[0]);
        if (server->hops == NULL)
                return false;
        hop_settings_read(&settings, options, server->hop_count);
        for (uint32_t i = 0; i < server->hop_count; i++) {
                if (!hop_thread_init(&server->hops[i], i, server->worker_count, &settings, &server->log))
                        return false;
                server->counters.sets[server->counters.count++] = &server->hops[i].counters;
        }
        return true;
}

bool stores_init(struct server *server, const struct options *options)
{
        for (uint32_t i = 0; i < server->delivery_count; i++)
                if (!delivery_init(&server->deliveries[i], i, server->worker_count, server->shares.spools,
                                   options->maildir_sync_together, &server->log))
                        return false;
        return init_hops(server, options) && server_journal_init(server, options);
}

bool stores_start(struct server *server)
{
        bool is_started = true;

        for (uint32_t i = 0; i < server->delivery_count; i++)
                is_started = is_started && delivery_start(&server->deliveries[i]);
        for (uint32_t i = 0; i < server->hop_count; i++)
                is_started = is_started && hop_thread_start(&server->hops[i]);
        return is_started && server_journal_start(&server->journal);
}

void stores_set(struct server *server, const struct options *options)
{
        struct hop_settings settings;

        hop_settings_read(&settings, options, server->hop_count);
        for (uint32_t i = 0; i < server->hop_count; i++)
                if (!hop_thread_set(&server->hops[i], &settings))
                        console_fail(
                            "gatepost: no memory for the new options of next hops; the former hold on");
}

void stores_end(struct server *server)
{
        for (uint32_t i = 0; i < server->delivery_count; i++)
                delivery_end(&server->deliveries[i]);
        for (uint32_t i = 0; i < server->hop_count; i++)
                hop_thread_end(&server->hops[i]);
        server_journal_end(&server->journal);
        free(server->deliveries);
        free(server->hops);
}
