/* The orders, and the signals that mean the same. */
#include "workers/server/control/orders.h"

#include "workers/inbound/follow/follow.h"
#include "workers/log/console.h"
#include "workers/server/control/costs.h"
#include "workers/server/control/shadow.h"
#include "workers/server/reload.h"
#include "workers/server/signals.h"

#include <unistd.h>

bool orders_prepare(struct server *server, const struct options *options)
{
        snprintf(server->control_path, sizeof server->control_path, "%s", options->control);
        if (server->control_path[0] == '\0')
                return true;
        if (!follow_board_init(&server->follow_board, server->worker_count))
                return false;
        for (uint32_t i = 0; i < server->worker_count; i++)
                worker_follow_connect(&server->workers[i], &server->follow_board);
        return shadow_prepare(server);
}

bool orders_begin(struct server *server)
{
        const struct control_parts parts = {
            .path = server->control_path,
            .predecessor = server->succession.predecessor,
            .main = pthread_self(),
            .signal_number = SIGNAL_OF_CONTROL,
            .board = &server->follow_board,
        };

        if (server->control_path[0] == '\0')
                return true;
        const char *fault = control_init(&server->control, &parts);
        if (fault == NULL && !control_start(&server->control))
                fault = "the thread cannot be started";
        if (fault != NULL)
                console_fail("gatepost: cannot open the control socket %s: %s", server->control_path, fault);
        return fault == NULL;
}

void orders_end(struct server *server)
{
        control_end(&server->control);
        follow_board_end(&server->follow_board);
        shadow_end(&server->shadow);
}

static const char *tell_status(struct server *server, struct control_job *job)
{
        struct counters counters;

        counters_sum(&server->counters, &counters);
        text_printf(&job->answer, "{\"pid\":%d,\"state\":\"%s\",", (int)getpid(),
                    server->upgrade.successor != 0 ? "handed over"
                                                   : draining_words[load_draining(&server->load)]);
        text_printf(&job->answer, "\"sessions\":%llu,\"rung\":\"%s\",\"accepted\":%llu}\n",
                    (unsigned long long)workers_open(server->workers, server->worker_count),
                    rung_names[load_rung(&server->load)],
                    (unsigned long long)counter_read(&counters.metrics[METRIC_messages_accepted]));
        return NULL;
}

static const char *reload_and_tell(struct server *server, struct control_job *job)
{
        static char error[RELOAD_REASON_SIZE + 32]; /* the main thread's alone */
        char reason[RELOAD_REASON_SIZE];

        if (reload(server, job, reason))
                return NULL;
        snprintf(error, sizeof error, "nothing has changed: %s", reason);
        return error;
}

/* A successor knows nothing of a shadow. */
static const char *upgrade_and_leave(struct server *server, struct control_job *job)
{
        const char *reason = upgrade_obey(server, job);

        if (reason == NULL)
                shadow_leave(server, job, "an upgrade");
        return reason;
}

/* NULL, or why it was not done. */
static const char *(*const orders[CONTROL_ORDER_COUNT])(struct server *server, struct control_job *job) = {
    [CONTROL_ORDER_status] = tell_status,
    [CONTROL_ORDER_reload] = reload_and_tell,
    [CONTROL_ORDER_drain] = drain_begin,
    [CONTROL_ORDER_undrain] = drain_undo,
    [CONTROL_ORDER_upgrade] = upgrade_and_leave,
    [CONTROL_ORDER_journal_drop] = server_journal_drop,
    [CONTROL_ORDER_costs] = costs_tell,
    [CONTROL_ORDER_shadow_start] = shadow_obey_start,
    [CONTROL_ORDER_shadow_status] = shadow_obey_status,
    [CONTROL_ORDER_shadow_promote] = shadow_obey_promote,
    [CONTROL_ORDER_shadow_stop] = shadow_obey_stop,
};

/* It changes nothing, and is not worth a line in the log. */
static bool only_tells(enum control_order order)
{
        return order == CONTROL_ORDER_status || order == CONTROL_ORDER_costs ||
               order == CONTROL_ORDER_shadow_status;
}

static const char *execute(struct server *server, struct control_job *job)
{
        if (server->upgrade.successor != 0 && !only_tells(job->order))
                return UPGRADE_TAKEN_OVER;
        /* What was left aside at the stop may use what an order changes. */
        if (server->aside.is_left && !only_tells(job->order))
                return "the server stops";
        return orders[job->order](server, job);
}

void orders_obey(struct server *server)
{
        struct control_job *job;

        shadow_look_after(server);
        if (server->control_path[0] == '\0' || (job = control_next(&server->control)) == NULL)
                return;
        const char *word = control_order_words[job->order], *error = execute(server, job);
        if (!only_tells(job->order))
                log_event(&server->log, "order", "order", word, LOG_NUMBER("uid", job->user),
                          LOG_NUMBER("pid", job->process), "outcome", error == NULL ? "done" : error, NULL);
        control_done(&server->control, job, error);
}
