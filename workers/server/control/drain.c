/* The stages of a drain. */
#include "workers/server/control/drain.h"

#include "dns/clock.h"
#include "workers/log/console.h"
#include "workers/server/server.h"

static enum draining stage_of(const struct server *server)
{
        return load_draining(&server->load);
}

static const struct options *options_of(struct server *server)
{
        const struct published *published = atomic_load(&server->publication.published);
        return &published->snapshot->options;
}

static void go_to(struct server *server, enum draining stage, uint64_t lasts_ms)
{
        server->drain.until_ms = clock_monotonic_ms() + lasts_ms;
        atomic_store_explicit(&server->load.draining, (int)stage, memory_order_release);
        log_event(&server->log, "drain", "stage", draining_words[stage], LOG_NUMBER("ms", lasts_ms), NULL);
        console_print("gatepost: %s", draining_words[stage]);
}

const char *drain_begin(struct server *server, struct control_job *job)
{
        const struct options *options = options_of(server);

        if (stage_of(server) != DRAINING_NOT)
                return "it drains already";
        go_to(server, DRAINING_ANNOUNCED, options->drain_wait_ms);
        text_printf(&job->answer, "{\"clients_ms\":%llu,\"sessions_ms\":%llu}\n",
                    (unsigned long long)options->drain_wait_ms,
                    (unsigned long long)options->shutdown_timeout_ms);
        return NULL;
}

const char *drain_undo(struct server *server, struct control_job *job)
{
        (void)job;
        if (stage_of(server) != DRAINING_ANNOUNCED)
                return stage_of(server) == DRAINING_NOT ? "it does not drain"
                                                        : "clients are sent away already";
        go_to(server, DRAINING_NOT, 0);
        return NULL;
}

/* Whoever is accepted from now on is told 421 where it is accepted, or, if it was on its way to a worker, by that. */
static void send_away(struct server *server)
{
        go_to(server, DRAINING_CLIENTS, options_of(server)->shutdown_timeout_ms);
        for (uint32_t i = 0; i < server->worker_count; i++)
                worker_stop(&server->workers[i], STOP_SESSIONS);
}

bool drain_look(struct server *server)
{
        bool is_over = clock_monotonic_ms() >= server->drain.until_ms;

        if (stage_of(server) == DRAINING_ANNOUNCED && is_over)
                send_away(server);
        return stage_of(server) == DRAINING_CLIENTS &&
               (clock_monotonic_ms() >= server->drain.until_ms ||
                workers_open(server->workers, server->worker_count) == 0);
}

uint64_t drain_time_left_ms(const struct server *server, uint64_t timeout_ms)
{
        uint64_t now_ms = clock_monotonic_ms();

        if (stage_of(server) != DRAINING_CLIENTS)
                return timeout_ms;
        return server->drain.until_ms > now_ms ? server->drain.until_ms - now_ms : 0;
}
