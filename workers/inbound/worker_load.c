/* The rung of the ladder, and the memory. */
#include "workers/inbound/worker_load.h"

#include "workers/inbound/worker_log.h"

/* Unused blocks that a worker keeps, of all workers together at most this part of the budget; none when it is tight. */
#define UNUSED_SHARE            16
#define SESSION_BLOCKS_KEPT     4096
#define TRANSACTION_BLOCKS_KEPT 1024
#define CONTENT_BLOCKS_KEPT     512

/* Of all workers the first one that sees a new level says so. */
static void tell_memory(struct worker *worker)
{
        static const char *const events[] = {
            [BUDGET_EASY] = "memory_eased", [BUDGET_TIGHT] = "memory_tight", [BUDGET_SPENT] = "memory_spent"};
        struct budget *budget = worker->account.budget;

        if (atomic_exchange(&budget->told, (int)worker->memory) == (int)worker->memory)
                return;
        worker_log_event(worker, events[worker->memory], LOG_NUMBER("octets", atomic_load(&budget->leased)),
                         LOG_NUMBER("max", atomic_load(&budget->max)), NULL);
}

static size_t least(size_t number, uint64_t other)
{
        return number < other ? number : (size_t)other;
}

/* What is kept unused counts as well, so that all of it together is never more than the budget. Three quarters are for
 * texts, and most of the rest for envelopes. */
static void keep_unused(struct worker *worker, enum budget_level memory)
{
        struct session_host *host = &worker->host;
        uint64_t max = atomic_load_explicit(&worker->account.budget->max, memory_order_relaxed);
        uint64_t share = memory == BUDGET_EASY ? max / UNUSED_SHARE / worker->worker_count : 0;

        if (share == worker->unused_share)
                return;
        worker->unused_share = share;
        content_pool_keep(&host->content_pool,
                          least(CONTENT_BLOCKS_KEPT, share / 4 * 3 / CONTENT_BLOCK_SIZE));
        block_pool_keep(&host->transaction_pool,
                        least(TRANSACTION_BLOCKS_KEPT, share / 16 * 3 / host->transaction_pool.block_size));
        block_pool_keep(&host->session_pool,
                        least(SESSION_BLOCKS_KEPT, share / 16 / host->session_pool.block_size));
}

uint64_t worker_memory_in_use(const struct worker *worker)
{
        return worker->account.held - content_pool_unused(&worker->host.content_pool) -
               block_pool_unused(&worker->host.transaction_pool) -
               block_pool_unused(&worker->host.session_pool);
}

bool worker_look_at_load(struct worker *worker)
{
        enum budget_level memory = budget_level(worker->account.budget, worker->memory);
        enum rung rung = load_rung(worker->load);

        keep_unused(worker, memory);
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

void worker_note_at_hand(struct worker *worker, struct connection *connection)
{
        const struct message *message = connection->has_ended ? NULL : session_message(&connection->session);

        heartbeat_serve(&worker->heartbeat, &connection->session.peer, connection->session.state,
                        message == NULL ? NULL : message->id);
}

/* ---- connections --------------------------------------------------------------------------------------- */

uint64_t worker_assigned(const struct worker *worker)
{
        uint64_t assigned = 0;

        for (uint32_t i = 0; i < worker->acceptor_count || i == 0; i++)
                assigned += counter_read(&worker->inflows[i].assigned);
        return assigned;
}

uint64_t worker_open(const struct worker *worker)
{
        uint64_t closed = counter_read(&worker->closed), assigned = worker_assigned(worker);

        return assigned > closed ? assigned - closed : 0;
}

uint64_t workers_assigned_by(const struct worker *workers, uint32_t worker_count, uint32_t acceptor)
{
        uint64_t assigned = 0;

        for (uint32_t i = 0; i < worker_count; i++)
                assigned += counter_read(&workers[i].inflows[acceptor].assigned);
        return assigned;
}
