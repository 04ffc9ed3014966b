/* The predecessor's side: what happens when. */
#include "workers/server/upgrade/upgrade.h"

#include "dns/clock.h"
#include "workers/log/console.h"
#include "workers/server/listening.h"
#include "workers/server/upgrade/successor.h"

#include <errno.h>
#include <unistd.h>

#define LEAVE_MS 2000  /* until those who accept have left their listeners: the clients wait meanwhile */
#define GO_MS    10000 /* until the successor accepts */

/* ---- before the sandbox -------------------------------------------------------------------------------- */

static void forget(void *snapshot)
{
        snapshot_free(snapshot);
}

void upgrade_prepare(void *opener, struct snapshot *snapshot)
{
        struct server *server = opener;
        const struct options *options = &snapshot->options;

        if (options->hot_upgrade && options->control[0] != '\0' &&
            !launcher_begin(&server->upgrade.launcher, server->arguments, server->succession.standard_error,
                            forget, snapshot))
                console_warn("gatepost: there will be no hot upgrade, for want of a launcher: %s",
                             strerror(errno));
}

/* ---- what stands against it ---------------------------------------------------------------------------- */

static const char *obstacle(const struct server *server)
{
        if (load_draining(&server->load) != DRAINING_NOT)
                return "it drains; gatepost drain --undo takes that back";
        if (server->upgrade.launcher.fd < 0)
                return "there is no launcher: hot_upgrade was `no` at the start, or it could not be started";
        /* Its end would be that of all others there. */
        if (getpid() == 1)
                return "this is the first process of its container, which ends with it";
        return NULL;
}

/* ---- steps --------------------------------------------------------------------------------------------- */

struct attempt {
        struct server *server;
        const struct snapshot *snapshot; /* in force */
        struct successor successor;
        bool has_left; /* its listeners */
        uint64_t begun_ms;
};

static bool fail(struct attempt *attempt, const char *reason)
{
        snprintf(attempt->successor.reason, sizeof attempt->successor.reason, "%s", reason);
        return false;
}

/* All sockets on one list: those of systemd are on it in any case. */
static bool offer_sockets(struct attempt *attempt)
{
        struct server *server = attempt->server;
        bool has_room = web_offer(&server->web, &attempt->snapshot->http, &server->inherited);

        for (const struct listener *listener = server->listeners; listener != NULL && has_room;
             listener = listener->next)
                if (!listener->is_inherited && !atomic_load(&listener->is_closed))
                        has_room =
                            inherited_offer(&server->inherited, &listener->endpoint, NULL, listener->fd);
        return has_room || fail(attempt, "there are too many listening sockets, or descriptors are out");
}

static bool start_successor(struct attempt *attempt)
{
        struct server *server = attempt->server;

        return successor_start(&attempt->successor, &server->inherited, server->succession.id_lane + 1,
                               attempt->snapshot->http.path) &&
               successor_await(&attempt->successor, CHANNEL_READY,
                               attempt->begun_ms + attempt->snapshot->options.upgrade_start_timeout_ms);
}

/* Whoever connects waits in the queue, until the successor accepts or we do again. */
static bool hand_over(struct attempt *attempt)
{
        struct server *server = attempt->server;

        if (!local_socket_keep(server->control_path))
                return fail(attempt, "the control socket cannot be kept for the case that it fails");
        attempt->has_left = true;
        if (!listening_leave(server, clock_monotonic_ms() + LEAVE_MS))
                return fail(attempt, "a thread that accepts does not turn");
        web_leave(&server->web);
        return successor_say_go(&attempt->successor) &&
               successor_await(&attempt->successor, CHANNEL_SERVING, clock_monotonic_ms() + GO_MS);
}

/* The same sockets are found on the list, as a successor would find them. */
static void take_back(struct attempt *attempt)
{
        struct server *server = attempt->server;
        struct listener *listeners;
        struct web_change web;

        local_socket_end_keeping(server->control_path, true);
        if (listening_bind(server, attempt->snapshot, NULL, &listeners) &&
            listening_open(server, listeners, NULL))
                listening_use(server, listeners);
        if (web_begin(&server->web, attempt->snapshot, &server->inherited, &web))
                web_change(&server->web, &web);
}

/* ---- outcome ------------------------------------------------------------------------------------------- */

/* What it has said, but for lines of a log that goes there. */
static void tell_said(const struct attempt *attempt, struct control_job *job)
{
        struct span rest = span_of(attempt->successor.said, attempt->successor.length);

        while (rest.length > 0) {
                size_t end = span_find(rest, '\n');
                struct span line = span_of(rest.at, end < rest.length ? end : rest.length);
                if (line.length > 0 && line.at[0] != '{')
                        control_job_tell(job, "complaint", line);
                rest = span_skip(rest, line.length + (end < rest.length));
        }
}

static const char *give_up(struct attempt *attempt, struct control_job *job)
{
        struct server *server = attempt->server;
        char said[SUCCESSOR_SAID_MAX + 1];

        /* Two of them would change the sockets' flags under each other. */
        successor_stop(&attempt->successor);
        if (attempt->has_left)
                take_back(attempt);
        inherited_close(&server->inherited, true);
        tell_said(attempt, job);
        snprintf(said, sizeof said, "%.*s", (int)attempt->successor.length, attempt->successor.said);
        log_event(&server->log, "upgrade_failed", "reason", attempt->successor.reason, "said", said, NULL);
        counter_add(&server->own_counters.metrics[METRIC_upgrades_failed], 1);
        snprintf(server->upgrade.reason, sizeof server->upgrade.reason, "%.200s; nothing has changed",
                 attempt->successor.reason);
        console_fail("gatepost: upgrade: %s", server->upgrade.reason);
        return server->upgrade.reason;
}

/* The service manager hears of it when its new process is nobody's child any more, so that it becomes its own. */
static void tell_manager(struct server *server)
{
        launcher_dismiss(&server->upgrade.launcher);
        if (!notify_succeeded(&server->notify, server->upgrade.successor, SPAN("serving; has taken over")))
                console_fail("gatepost: cannot tell the service manager which process serves now: "
                             "NOTIFY_SOCKET does not take it");
        notify_be_silent(&server->notify);
}

static void retire(struct attempt *attempt, struct control_job *job)
{
        struct server *server = attempt->server;
        uint64_t now_ms = clock_monotonic_ms(),
                 lasts_ms = attempt->snapshot->options.upgrade_sessions_timeout_ms;
        uint64_t sessions = workers_open(server->workers, server->worker_count);

        server_journal_release(server);
        server->upgrade.successor = attempt->successor.pid;
        server->upgrade.until_ms = now_ms + lasts_ms;
        tell_manager(server);
        inherited_close(&server->inherited, false);
        local_socket_end_keeping(server->control_path, false);
        if (attempt->snapshot->http.kind == HTTP_AT_PATH)
                local_socket_sweep(attempt->snapshot->http.path);
        log_event(&server->log, "handed_over", LOG_NUMBER("pid", getpid()),
                  LOG_NUMBER("successor", server->upgrade.successor), LOG_NUMBER("sessions", sessions),
                  LOG_NUMBER("took_ms", now_ms - attempt->begun_ms), LOG_NUMBER("ms", lasts_ms), NULL);
        text_printf(&job->answer, "{\"pid\":%d,\"took_ms\":%llu,\"sessions\":%llu,\"sessions_ms\":%llu}\n",
                    (int)server->upgrade.successor, (unsigned long long)(now_ms - attempt->begun_ms),
                    (unsigned long long)sessions, (unsigned long long)lasts_ms);
        successor_let_go(&attempt->successor);
        console_print("gatepost: process %d has taken over; %llu sessions are to end here",
                      (int)server->upgrade.successor, (unsigned long long)sessions);
}

const char *upgrade_obey(struct server *server, struct control_job *job)
{
        const struct published *published = atomic_load(&server->publication.published);
        struct attempt attempt = {
            .server = server,
            .snapshot = published->snapshot,
            .successor = {.launcher = &server->upgrade.launcher, .channel = -1, .output = -1},
            .begun_ms = clock_monotonic_ms(),
        };
        const char *reason = obstacle(server);

        if (reason != NULL)
                return reason;
        console_print("gatepost: upgrade: a new process starts");
        heartbeat_sleep(&server->heartbeat);
        if (offer_sockets(&attempt) && start_successor(&attempt) && hand_over(&attempt))
                retire(&attempt, job);
        else
                reason = give_up(&attempt, job);
        heartbeat_turn(&server->heartbeat, clock_monotonic_ms());
        return reason;
}

bool upgrade_is_over(struct server *server)
{
        return server->upgrade.successor != 0 && (clock_monotonic_ms() >= server->upgrade.until_ms ||
                                                  workers_open(server->workers, server->worker_count) == 0);
}
