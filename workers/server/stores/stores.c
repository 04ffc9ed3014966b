/* Delivery threads and hop threads, all of them at a time. */
#include "workers/server/stores/stores.h"

#include "workers/log/console.h"

#include <sys/mman.h>
#include <sys/random.h>

static bool init_remembered(struct remembered *remembered, const struct options *options)
{
        size_t size = options->next_hops_delivered_memory_octets;
        uint8_t *secret = remembered->secret.octets;

        if (getrandom(secret, KEYED_SECRET_OCTETS, 0) != KEYED_SECRET_OCTETS)
                return false;
        /* What nobody has needed yet takes no memory. */
        void *memory =
            mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED)
                return false;
        until_init(&remembered->delivered, memory, size);
        remembered->rulings = rulings_create(options->next_hops_rulings_memory_octets);
        return remembered->rulings != NULL;
}

static void end_remembered(struct remembered *remembered, const struct options *options)
{
        rulings_destroy(remembered->rulings);
        if (remembered->delivered.sets != NULL)
                munmap(remembered->delivered.sets, options->next_hops_delivered_memory_octets);
}

static bool init_hops(struct server *server, const struct options *options)
{
        struct hop_settings settings;
        struct hop_thread_parts parts = {.worker_count = server->worker_count,
                                         .settings = &settings,
                                         .budget = &server->budget,
                                         .log = &server->log,
                                         .dns_pool = server->dns_pool};

        server->hops = calloc(server->hop_count, sizeof server->hops[0]);
        if (server->hops == NULL)
                return false;
        if (!init_remembered(&server->remembered, options))
                return false;
        hop_settings_read(&settings, options, server->hop_count, server->hop_tls);
        for (parts.number = 0; parts.number < server->hop_count; parts.number++) {
                struct hop_thread *hop = &server->hops[parts.number];
                parts.dns_client = server->worker_count + 1 + parts.number; /* behind the zone watch's */
                if (!hop_thread_init(hop, &parts))
                        return false;
                server->counters.sets[server->counters.count++] = &hop->counters;
                hop_thread_remember(hop, &server->remembered);
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
        return is_started && feed_keeper_start(&server->feeds, &server->log) &&
               server_journal_start(&server->journal);
}

void stores_set(struct server *server, const struct options *options, SSL_CTX *tls)
{
        struct hop_settings settings;

        SSL_CTX_free(server->hop_tls);
        server->hop_tls = tls;
        hop_settings_read(&settings, options, server->hop_count, tls);
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
        SSL_CTX_free(server->hop_tls);
        server_journal_end(&server->journal);
        end_remembered(&server->remembered, &server->options_at_start);
        feed_keeper_end(&server->feeds);
        free(server->deliveries);
        free(server->hops);
}
