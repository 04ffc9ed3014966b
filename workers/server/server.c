/* Start, signals and stop of the server. */
#include "workers/server/server.h"

#include "conf/text/access.h"
#include "dns/clock.h"
#include "dns/pool/client.h"
#include "dns/pool/settings.h"
#include "workers/log/console.h"
#include "workers/process/first.h"
#include "workers/process/sandbox/sandbox.h"
#include "workers/server/bounds/generations.h"
#include "workers/server/bounds/memory.h"
#include "workers/server/bounds/refused_calls.h"
#include "workers/server/bounds/stop.h"
#include "workers/server/bounds/threads.h"
#include "workers/server/control/orders.h"
#include "workers/server/listening.h"
#include "workers/server/manager/manager.h"
#include "workers/server/pages/pages.h"
#include "workers/server/reload.h"
#include "workers/server/reload_log.h"
#include "workers/server/signals.h"
#include "workers/server/stores/stores.h"
#include "workers/server/status_line.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <urcu/urcu-memb.h>

#define MAIN_NICE 5

/* ---- start --------------------------------------------------------------------------------------------- */

static bool allocate(struct server *server, const struct options *options)
{
        server->options_at_start = *options;
        snprintf(server->user_at_start, sizeof server->user_at_start, "%s", options->user);
        server->workers =
            aligned_alloc(_Alignof(struct worker), server->worker_count * sizeof server->workers[0]);
        server->counters.sets = calloc(server->worker_count + server->acceptor_count + server->hop_count + 4,
                                       sizeof(const struct counters *));
        server->acceptors = calloc(server->acceptor_count + 1, sizeof server->acceptors[0]);
        server->self_accepts = calloc(server->worker_count, sizeof server->self_accepts[0]);
        server->deliveries = calloc(server->delivery_count, sizeof server->deliveries[0]);
        if (server->counters.sets != NULL)
                server->counters.sets[server->counters.count++] = &server->own_counters;
        return server->workers != NULL && server->counters.sets != NULL && server->acceptors != NULL &&
               server->self_accepts != NULL && server->deliveries != NULL;
}

/* The pool is there without resolvers too: a reload may name some. */
static bool init_dns(struct server *server, const struct options *options, uint32_t in_flight_max)
{
        struct dns_pool_options pool = dns_pool_settings(options);
        struct dns_cache_options cache = dns_cache_settings(options);

        server->dns_cache = dns_cache_create(&cache);
        if (server->dns_cache == NULL)
                return false;
        pool.cache = server->dns_cache;
        pool.questions = &server->clients.questions;
        pool.clients = server->worker_count + 1 + server->hop_count + 1;
        pool.in_flight_max = in_flight_max;
        server->dns_pool = dns_pool_create(&pool);
        return server->dns_pool != NULL;
}

/* `spools`: files in the making that there are descriptors for. */
static bool init_workers(struct server *server, uint32_t spools)
{
        for (uint32_t i = 0; i < server->worker_count; i++) {
                const struct worker_parts parts = {
                    .number = i,
                    .id_lane = server->succession.id_lane,
                    .acceptor_count = server->acceptor_count,
                    .delivery_count = server->delivery_count,
                    .hop_count = server->hop_count,
                    .hops = server->hops,
                    .journal = server->journal.is_there ? &server->journal.writer : NULL,
                    .remembered = &server->remembered,
                    .self_accept = server->acceptor_count == 0 ? &server->self_accepts[i] : NULL,
                    .publication = &server->publication,
                    .clients = &server->clients.sessions,
                    .deliveries = server->deliveries,
                    .log = &server->log,
                    .dns_pool = server->dns_pool,
                    .senders = &server->senders,
                    .id_key = &server->id_key,
                    .questions = &server->clients.questions,
                    .ledger = &server->clients.ledger,
                    .tls_no_go = &server->clients.tls_no_go,
                    .load = &server->load,
                    .worker_count = server->worker_count,
                    .budget = &server->budget,
                    .handshakes = &server->handshakes,
                    .spools = spools,
                    .log_memory_octets = server->options_at_start.log_memory_octets,
                };
                if (!worker_init(&server->workers[i], &parts))
                        return false;
                server->counters.sets[server->counters.count++] = &server->workers[i].counters;
        }
        return true;
}

static bool init_acceptor(struct server *server, uint32_t number, const struct admission_parts *admission)
{
        const struct acceptor_parts parts = {
            .number = number,
            .id_lane = server->succession.id_lane,
            .acceptor_count = server->acceptor_count,
            .pinner = server->worker_count + 1 + number, /* behind the fleet's */
            .publication = &server->publication,
            .log = &server->log,
            .id_key = &server->id_key,
            .admission = *admission,
        };

        server->counters.sets[server->counters.count++] = &server->acceptors[number].counters;
        return acceptor_init(&server->acceptors[number], &parts);
}

static bool init_accepting(struct server *server, uint64_t sessions_max)
{
        const struct admission_parts admission = {
            .load = &server->load,
            .clients = &server->clients.sessions,
            .ledger = &server->clients.ledger,
            .workers = server->workers,
            .worker_count = server->worker_count,
            .sharer_count = server->acceptor_count == 0 ? server->worker_count : server->acceptor_count,
            .sessions_max = sessions_max,
            .dns_cache = server->dns_cache,
        };

        for (uint32_t i = 0; i < server->acceptor_count; i++)
                if (!init_acceptor(server, i, &admission))
                        return false;
        for (uint32_t i = 0; i < server->worker_count && server->acceptor_count == 0; i++)
                if (!self_accept_init(&server->self_accepts[i], &server->workers[i], &admission))
                        return false;
        return true;
}

static bool init_overseer(struct server *server)
{
        const struct overseer_parts parts = {
            .load = &server->load,
            .publication = &server->publication,
            .pinner = server->worker_count + 1 + server->acceptor_count, /* behind the acceptors' */
            .workers = server->workers,
            .worker_count = server->worker_count,
            .sessions_max = server->shares.sessions,
            .budget = &server->budget,
            .handshakes = &server->handshakes,
            .dns_pool = server->dns_pool,
            .dns_in_flight_max = server->shares.dns_in_flight,
            .shadow_out = &server->shadow.out,
            .acceptors = server->acceptors,
            .acceptor_count = server->acceptor_count,
            .main_thread = &server->heartbeat,
            .notify = &server->notify,
            .log = &server->log,
        };

        server->counters.sets[server->counters.count++] = &server->overseer.counters;
        return overseer_init(&server->overseer, &parts);
}

static bool init_threads(struct server *server, const struct options *options)
{
        if (!clients_init(&server->clients, options, server->shares.sessions) ||
            !init_dns(server, options, server->shares.dns_in_flight) || !stores_init(server, options))
                return false;
        memory_bound(&server->budget, options);
        return init_workers(server, server->shares.spools * server->delivery_count) &&
               orders_prepare(server, options) && init_accepting(server, server->shares.sessions) &&
               init_overseer(server);
}

static bool start_threads(struct server *server)
{
        bool is_started =
            log_writer_start(&server->log) && sender_store_start(&server->senders) && stores_start(server);

        for (uint32_t i = 0; i < server->worker_count; i++)
                is_started = is_started && worker_start(&server->workers[i]);
        for (uint32_t i = 0; i < server->acceptor_count; i++)
                is_started = is_started && acceptor_start(&server->acceptors[i]);
        return is_started && overseer_start(&server->overseer) && pages_start(server);
}

/* ---- end ----------------------------------------------------------------------------------------------- */

static void free_all(struct server *server)
{
        listeners_free(server->departing);
        web_end(&server->web);
        overseer_end(&server->overseer);
        for (uint32_t i = 0; i < server->acceptor_count; i++)
                acceptor_end(&server->acceptors[i]);
        for (uint32_t i = 0; i < server->worker_count && server->acceptor_count == 0; i++)
                self_accept_end(&server->self_accepts[i]);
        for (uint32_t i = 0; i < server->worker_count; i++)
                worker_end(&server->workers[i]);
        stores_end(server);
        sender_store_close(&server->senders);
        dns_pool_destroy(server->dns_pool);
        zone_watch_end(&server->zone_watch);
        log_writer_end(&server->log);
        clients_end(&server->clients);
        dns_cache_destroy(server->dns_cache);
        publication_end(&server->publication);
        certificates_end(&server->certificates);
        orders_end(server);
        free(server->counters.sets);
        free(server->acceptors);
        free(server->self_accepts);
        free(server->workers);
}

/* ---- run ----------------------------------------------------------------------------------------------- */

static void serve_until_stopped(struct server *server, const sigset_t *signals, bool shows_status_line)
{
        const struct timespec second = {.tv_sec = 1};
        struct status_line status;

        status_line_begin(&status);
        for (;;) {
                zone_watch_look(&server->zone_watch, clock_monotonic_ms());
                heartbeat_sleep(&server->heartbeat);
                int signal = sigtimedwait(signals, NULL, &second);
                heartbeat_turn(&server->heartbeat, clock_monotonic_ms());
                if (signal_is_end(signal))
                        break;
                if (signal == SIGHUP)
                        reload(server, NULL, (char[RELOAD_REASON_SIZE]){0}); /* nobody waits for the reason */
                if (signal == SIGUSR1)
                        reload_log(server);
                if (signal == SIGUSR2)
                        counter_log_write(&server->counter_log);
                orders_obey(server);
                if (drain_look(server) || upgrade_is_over(server))
                        break;
                generations_look(server);
                refused_calls_tell(&server->log, &server->own_counters);
                certificates_look(&server->certificates, (uint64_t)time(NULL));
                counter_log_look(&server->counter_log, clock_monotonic_ms());
                machine_look(server);
                if (shows_status_line)
                        status_line_print(&status, &server->counters,
                                          workers_open(server->workers, server->worker_count),
                                          load_rung(&server->load));
        }
        heartbeat_sleep(&server->heartbeat);
        status_line_end(&status);
}

/* What the main thread looks at once a second. */
static bool init_watches(struct server *server)
{
        const struct zone_watch_parts parts = {
            .publication = &server->publication,
            .pool = server->dns_pool,
            .client = server->worker_count,
            .counters = &server->counters,
            .log = &server->log,
        };

        server->dns_counts =
            (struct dns_counts){.cache = server->dns_cache, .pool = server->dns_pool, .log = &server->log};
        server->counter_log = (struct counter_log){
            .publication = &server->publication,
            .counters = &server->counters,
            .dns = &server->dns_counts,
            .log = &server->log,
        };
        return zone_watch_init(&server->zone_watch, &parts);
}

/* The control socket comes first: another server's name in it says best that there is one already. A predecessor's is
 * replaced last, so that it still has it where this fails. Clients come at the very end, for a failure resets them. */
static bool open_to_all(struct server *server, const struct snapshot *snapshot)
{
        bool succeeds = server->succession.predecessor != 0;
        struct listener *listeners;
        struct web_change web;

        if ((!succeeds && !orders_begin(server)) ||
            !web_begin(&server->web, snapshot, &server->inherited, &web) ||
            !listening_prepare(server, snapshot, &listeners) ||
            (succeeds && (!succession_await(server, snapshot) || !orders_begin(server))))
                return false;
        web_change(&server->web, &web);
        return listening_begin(server, snapshot, listeners) && (!succeeds || succession_confirm(server));
}

/* Takes `contexts` over, which are NULL without TLS. */
static bool start(struct server *server, struct snapshot *snapshot, struct tls_contexts *contexts)
{
        const char *fault;
        char denied[ACCESS_TEXT_MAX];
        struct log_target *log = log_open(snapshot, &fault);

        if (log == NULL) {
                console_fail("gatepost: cannot open log %s: %s%s", snapshot->options.log, fault,
                             access_denied(snapshot->options.log, W_OK, denied));
                return false;
        }
        if (!allocate(server, &snapshot->options) ||
            !log_writer_init(&server->log, log, server->worker_count) ||
            !publication_init(&server->publication,
                              server->worker_count + 3 + server->acceptor_count + server->hop_count,
                              snapshot)) {
                console_fail("gatepost: cannot start: %s", strerror(errno));
                return false;
        }
        certificates_begin(&server->certificates, contexts, &server->publication, &server->log,
                           &server->own_counters);
        if (!fleet_open(server, snapshot))
                return false; /* and it has told why */
        errno = EAGAIN;       /* a thread that cannot be started sets none */
        if (!init_threads(server, &snapshot->options) || !start_threads(server)) {
                console_fail("gatepost: cannot start: %s", strerror(errno));
                return false;
        }
        log_event(&server->log, "start", "sandbox", sandbox_mode_word(snapshot->options.sandbox), NULL);
        certificates_use(&server->certificates, (uint64_t)time(NULL));
        return init_watches(server) && open_to_all(server, snapshot);
}

/* With the rights of whoever starts us: sockets below 1024, and descriptors above the hard limit. Numbers of threads
 * are fixed here, because each acceptor has sockets of its own. */
static void open_early(void *opener, const struct snapshot *snapshot)
{
        struct server *server = opener;
        const struct options *options = &snapshot->options;

        server->worker_count = threads_workers_wanted(options);
        server->acceptor_count = threads_acceptors_wanted(options, server->worker_count);
        server->delivery_count = (uint32_t)options->delivery_threads;
        server->hop_count = (uint32_t)options->hop_threads;
        server->shares =
            descriptors_divide(options, server->acceptor_count, server->worker_count, server->delivery_count);
        listening_bind_early(server, snapshot);
        web_bind_early(&server->web, snapshot, &server->inherited);
}

int server_run(const struct server_wish *wish)
{
        struct server server = {.path = wish->path, .arguments = wish->arguments, .upgrade.launcher.fd = -1};
        sigset_t signals;
        const struct first_wish first = {
            .path = wish->path,
            .may_be_root = wish->may_be_root,
            .open = open_early,
            .prepare = upgrade_prepare,
            .opener = &server,
        };

        signals_block(&signals);
        inherited_read(&server.inherited, LAUNCH_NAME_OWN);
        notify_open(&server.notify);
        if (!succession_begin(&server.succession, &server.inherited))
                return 1;
        server.aside.waiter = &server.heartbeat;
        urcu_memb_register_thread();
        /* Nothing is open to anybody yet: whoever wants to end this may, also where a file does not answer. */
        signals_let_end(true);
        struct snapshot *snapshot = first_snapshot(&first);
        struct tls_contexts *contexts = NULL;
        bool is_ready = snapshot != NULL && feed_keeper_load_first(&server.feeds, snapshot) &&
                        certificates_load_first(&server.certificates, snapshot, &contexts, &server.hop_tls);
        signals_let_end(false);
        if (!is_ready)
                return 1;
        if (!start(&server, snapshot, contexts))
                _exit(1); /* with its threads, memory and all */
        /* Reading a million recipients anew must not hold a reply up. Of this thread alone. */
        setpriority(PRIO_PROCESS, (id_t)gettid(), MAIN_NICE);
        reload_tell_syncs(&server);
        log_event(&server.log, "ready", NULL);
        console_print("gatepost: ready");
        manager_tell_ready(&server);
        serve_until_stopped(&server, &signals, wish->shows_status_line);
        manager_tell_stop(&server, stop_bound_ms(&server));
        bool has_ended = server_stop(&server, &signals);
        /* Who was left behind may still use all memory: the process ends with it. */
        if (!has_ended)
                _exit(SERVER_STATUS_LEFT);
        notify_close(&server.notify);
        free_all(&server);
        urcu_memb_unregister_thread();
        return 0;
}
