/* The stop: first nobody is let in, then sessions end, then the threads behind them. */
#include "workers/server/bounds/stop.h"

#include "dns/clock.h"
#include "workers/log/console.h"
#include "workers/server/bounds/refused_calls.h"
#include "workers/server/listening.h"
#include "workers/server/signals.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define LOOK_MS 20

/* How long each is waited for. */
#define ACCEPTORS_MS 2000
#define STORE_MS     5000 /* beyond shutdown_timeout: mail that is stored and not answered comes twice */
#define WORKERS_MS   3000 /* what they have told the log and the store of senders has its time in it */
#define DELIVERY_MS  2000
#define DRAIN_MS     (HOP_GIVE_BACK_MS + 1000)
#define HOPS_MS      2000
#define JOURNAL_MS   2000
#define SENDERS_MS   3000 /* a batch for LMDB, or a second for Redis */
#define RESOLVERS_MS 2000
#define ASIDE_MS     5000 /* a reload that is under way */
#define FEEDS_MS     2000 /* the disk of a list: what is being read is given up */
#define OVERSEER_MS  1000
#define HTTP_MS      1000
#define CONTROL_MS   1000
#define SHADOW_MS    1000 /* a session that is judged again */
#define LOG_MS       5000 /* of log_writer_stop() */

uint64_t stop_bound_ms(const struct server *server)
{
        const struct published *published = atomic_load(&server->publication.published);

        return published->snapshot->options.shutdown_timeout_ms + ACCEPTORS_MS + STORE_MS + WORKERS_MS +
               DELIVERY_MS + DRAIN_MS + HOPS_MS + JOURNAL_MS + OVERSEER_MS + HTTP_MS + CONTROL_MS +
               SHADOW_MS + FEEDS_MS + SENDERS_MS + RESOLVERS_MS + ASIDE_MS + LOG_MS;
}

struct stopping {
        struct server *server;
        bool has_left; /* somebody, or some message, behind */
};

/* `number`: of several; -1: there is but one. */
static void leave_thread(struct stopping *stopping, const char *kind, int number)
{
        char name[32];

        snprintf(name, sizeof name, number < 0 ? "%s" : "%s-%d", kind, number);
        console_warn("gatepost: %s does not end, and is left behind", name);
        log_event(&stopping->server->log, "thread_left", "thread", name, NULL);
        stopping->has_left = true;
}

/* While sessions end they have told 421 all whose handshake was under way. */
static void join_acceptors(struct stopping *stopping)
{
        struct server *server = stopping->server;
        uint64_t until_ms = clock_monotonic_ms() + ACCEPTORS_MS;

        for (uint32_t i = 0; i < server->acceptor_count; i++)
                if (!acceptor_join(&server->acceptors[i], until_ms))
                        leave_thread(stopping, "acceptor", (int)i);
}

/* ---- sessions ------------------------------------------------------------------------------------------ */

static bool workers_have_ended(const struct server *server)
{
        for (uint32_t i = 0; i < server->worker_count; i++)
                if (!atomic_load(&server->workers[i].has_ended))
                        return false;
        return true;
}

static void tell_workers(struct server *server, enum stop_stage stage)
{
        for (uint32_t i = 0; i < server->worker_count; i++)
                worker_stop(&server->workers[i], stage);
}

static void wait_for_sessions(struct server *server, const sigset_t *signals, uint64_t timeout_ms)
{
        const uint64_t times_ms[] = {
            [STOP_IDLE] = timeout_ms, [STOP_ALL] = STORE_MS, [STOP_NOW] = WORKERS_MS};
        const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
        uint64_t begun_ms = clock_monotonic_ms();
        enum stop_stage stage = STOP_IDLE;

        tell_workers(server, stage);
        while (!workers_have_ended(server)) {
                int signal = sigtimedwait(signals, NULL, &pause);
                bool is_over = clock_monotonic_ms() - begun_ms >= times_ms[stage];
                if (stage == STOP_NOW && is_over)
                        return;
                if (stage == STOP_NOW || (!is_over && !signal_is_end(signal)))
                        continue;
                begun_ms = clock_monotonic_ms();
                tell_workers(server, ++stage);
        }
}

static void stop_workers(struct stopping *stopping, const sigset_t *signals)
{
        struct server *server = stopping->server;
        struct published *published = atomic_load(&server->publication.published);
        uint64_t forsaken = 0;

        wait_for_sessions(server, signals,
                          drain_time_left_ms(server, published->snapshot->options.shutdown_timeout_ms));
        for (uint32_t i = 0; i < server->worker_count; i++) {
                bool has_ended = atomic_load(&server->workers[i].has_ended);
                if (has_ended && worker_join(&server->workers[i], clock_monotonic_ms() + WORKERS_MS))
                        forsaken += server->workers[i].forsaken;
                else
                        leave_thread(stopping, "worker", (int)i);
        }
        if (forsaken == 0)
                return;
        stopping->has_left = true;
        console_print(
            "gatepost: the store has not reported on %llu messages; their clients keep them, and the log "
            "names them (store_unreported)",
            (unsigned long long)forsaken);
}

/* ---- threads behind them ------------------------------------------------------------------------------- */

static void stop_deliveries(struct stopping *stopping)
{
        struct server *server = stopping->server;
        uint64_t until_ms = clock_monotonic_ms() + DELIVERY_MS;

        for (uint32_t i = 0; i < server->delivery_count; i++)
                delivery_stop(&server->deliveries[i]);
        for (uint32_t i = 0; i < server->delivery_count; i++)
                if (!delivery_join(&server->deliveries[i], until_ms))
                        leave_thread(stopping, "delivery", (int)i);
}

static void stop_hops(struct stopping *stopping)
{
        struct server *server = stopping->server;
        uint64_t until_ms = clock_monotonic_ms() + HOPS_MS;

        for (uint32_t i = 0; i < server->hop_count; i++)
                hop_thread_stop(&server->hops[i]);
        for (uint32_t i = 0; i < server->hop_count; i++)
                if (!hop_thread_join(&server->hops[i], until_ms))
                        leave_thread(stopping, "hop", (int)i);
}

bool server_stop(struct server *server, const sigset_t *signals)
{
        struct stopping stopping = {.server = server};
        const char *farewell = server->upgrade.successor != 0 ? UPGRADE_TAKEN_OVER : "the server stops";

        console_print("gatepost: stopping");
        log_event(&server->log, "stop", NULL);
        web_note_stop(&server->web);
        if (!control_stop(&server->control, farewell, clock_monotonic_ms() + CONTROL_MS))
                leave_thread(&stopping, "control", -1);
        if (!shadow_halt(&server->shadow, "the server stops", clock_monotonic_ms() + SHADOW_MS))
                leave_thread(&stopping, "shadow", -1);
        overseer_note_end(&server->overseer);
        listening_stop(server);
        stop_workers(&stopping, signals);
        join_acceptors(&stopping);
        stop_deliveries(&stopping);
        if (!server_journal_stop_drain(server, clock_monotonic_ms() + DRAIN_MS))
                leave_thread(&stopping, "drain", -1);
        stop_hops(&stopping);
        if (!server_journal_stop(&server->journal, clock_monotonic_ms() + JOURNAL_MS))
                leave_thread(&stopping, "journal", -1);
        if (!web_stop(&server->web, clock_monotonic_ms() + HTTP_MS))
                leave_thread(&stopping, "http", -1);
        if (!overseer_stop(&server->overseer, clock_monotonic_ms() + OVERSEER_MS))
                leave_thread(&stopping, "overseer", -1);
        if (!feed_keeper_stop(&server->feeds, clock_monotonic_ms() + FEEDS_MS))
                leave_thread(&stopping, "feeds", -1);
        if (!sender_store_stop(&server->senders, clock_monotonic_ms() + SENDERS_MS))
                leave_thread(&stopping, "senders", -1);
        counter_log_write(&server->counter_log);
        if (!dns_pool_stop(server->dns_pool, clock_monotonic_ms() + RESOLVERS_MS))
                leave_thread(&stopping, "resolver", -1);
        if (!aside_end(&server->aside, clock_monotonic_ms() + ASIDE_MS))
                leave_thread(&stopping, "aside", -1);
        refused_calls_tell(&server->log, &server->own_counters);
        log_event(&server->log, "stopped", NULL);
        /* Whoever reads the log may have stopped to: that must not keep us. */
        if (!log_writer_stop(&server->log) && !stopping.has_left)
                _exit(0);
        return !stopping.has_left;
}
