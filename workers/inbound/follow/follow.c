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
        struct follow_board *board = worker->follow_board;

        if (board == NULL || atomic_load_explicit(&board->active, memory_order_relaxed) == follow->active)
                return;
        /* With the filters that stand behind it. Once it is said which these are, and they are in force still,
         * none of them changes. */
        uint32_t active, gone = 0;
        do {
                active = atomic_load(&board->active);
                gone |= follow->active & ~active;
                atomic_store(&board->lanes[worker->number].seen, active);
        } while (atomic_load(&board->active) != active);
        follow->active = active & ~gone;
        if (gone != 0)
                connections_for_each(worker, unmark);
        follow->active = active;
}
