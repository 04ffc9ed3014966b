/* Stress, by connections and by memory. */
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
        bool under_stress =
            atomic_load_explicit(worker->under_stress, memory_order_relaxed) || memory >= BUDGET_TIGHT;

        if (under_stress == worker->host.under_stress && memory == worker->memory)
                return false;
        worker->host.under_stress = under_stress;
        worker->host.memory_is_spent = memory == BUDGET_SPENT;
        if (memory != worker->memory) {
                worker->memory = memory;
                tell_memory(worker);
        }
        return true;
}
