/* The filters in force, and lines on their way to the control thread. */
#include "workers/inbound/follow/follow.h"

#include "workers/inbound/connection_table.h"
#include "workers/inbound/worker.h"

static void tell(void *teller, uint32_t followers, struct span text)
{
        struct follow_lane *lane = teller;
        struct follow_line line = {.followers = followers, .length = (uint32_t)text.length};

        memcpy(line.octets, text.at, text.length);
        if (!follow_ring_put(&lane->ring, &line))
                atomic_fetch_add_explicit(&lane->lost, 1, memory_order_relaxed);
}

void worker_follow_connect(struct worker *worker, struct follow_board *board)
{
        worker->follow_board = board;
        worker->host.follow = (struct follow){
            .filters = board->filters,
            .tell = tell,
            .teller = &board->lanes[worker->number],
        };
}

static void unmark(struct worker *worker, struct connection *connection)
{
        connection->session.followed &= (uint8_t)worker->host.follow.active;
}

void worker_follow_look(struct worker *worker)
{
        struct follow *follow = &worker->host.follow;

        if (worker->follow_board == NULL)
                return;
        if (atomic_load_explicit(&worker->follow_board->active, memory_order_relaxed) == follow->active)
                return;
        /* With the filters that stand behind it. */
        uint32_t active = atomic_load_explicit(&worker->follow_board->active, memory_order_acquire);
        bool has_left = (follow->active & ~active) != 0;
        follow->active = active;
        if (has_left)
                connections_for_each(worker, unmark);
        atomic_store_explicit(&worker->follow_board->lanes[worker->number].seen, active,
                              memory_order_release);
}
