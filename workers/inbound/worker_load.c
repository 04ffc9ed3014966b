/* The rung of the ladder, and the memory. */
#include "workers/inbound/worker_load.h"

#include "workers/inbound/worker_log.h"

#include <stdio.h>

/* Of all workers the first one that sees a new level says so. */
static void tell_memory(struct worker *worker)
{
        static const char *const events[] = {
            [BUDGET_EASY] = "memory_eased", [BUDGET_TIGHT] = "memory_tight", [BUDGET_SPENT] = "memory_spent"};
        struct budget *budget = worker->account.budget;
        char octets[24], max[24];

        if (atomic_exchange(&budget->told, (int)worker->memory) == (int)worker->memory)
                return;
        snprintf(octets, sizeof octets, "%llu", (unsigned long long)atomic_load(&budget->leased));
        snprintf(max, sizeof max, "%llu", (unsigned long long)atomic_load(&budget->max));
        worker_log_event(worker, events[worker->memory], "octets", octets, "max", max, NULL);
}

bool worker_look_at_load(struct worker *worker)
{
        enum budget_level memory = budget_level(worker->account.budget, worker->memory);
        enum rung rung = load_rung(worker->load);

        /* The overseer sees it, too; a worker that fills the memory does not wait for that. */
        if (rung == RUNG_ease && memory >= BUDGET_TIGHT)
                rung = RUNG_hurry;
        if (rung == worker->host.rung && memory == worker->memory)
                return false;
        worker->host.rung = rung;
        worker->host.memory_is_spent = memory == BUDGET_SPENT;
        if (memory != worker->memory) {
                worker->memory = memory;
                tell_memory(worker);
        }
        return true;
}

void worker_note_at_hand(struct worker *worker, const struct connection *connection)
{
        const struct message *message =
            connection->has_ended ? NULL : session_message((struct session *)(uintptr_t)&connection->session);

        heartbeat_serve(&worker->heartbeat, &connection->session.peer, connection->session.state,
                        message == NULL ? NULL : message->id);
}
