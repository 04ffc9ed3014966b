/* What acceptors have put into the rings of a worker. */
#include "workers/inbound/accept/arrivals.h"

#include "core/base/expect.h"

bool worker_has_arrivals(const struct worker *worker)
{
        for (uint32_t i = 0; i < worker->acceptor_count; i++)
                if (arrival_ring_count(&worker->inflows[i].ring) > 0)
                        return true;
        return false;
}

static void take_arrival(struct worker *worker, const struct arrival *arrival, struct inflow *inflow)
{
        switch (arrival->kind) {
        case ARRIVAL_CONNECTION:
                inflow->taken++;
                heartbeat_serve(&worker->heartbeat, &arrival->peer, SESSION_STATE_PAUSE, NULL);
                connection_begin(worker, arrival, inflow);
                break;
        case ARRIVAL_DROP:
                if (inflow->last != NULL)
                        connection_drop(worker, inflow->last);
                break;
        }
}

void worker_take_arrivals(struct worker *worker)
{
        struct arrival arrival;

        for (uint32_t i = 0; i < worker->acceptor_count; i++) {
                struct inflow *inflow = &worker->inflows[i];
                for (size_t left = arrival_ring_count(&inflow->ring); left > 0; left--) {
                        expect(arrival_ring_take(&inflow->ring, &arrival));
                        take_arrival(worker, &arrival, inflow);
                }
        }
}
