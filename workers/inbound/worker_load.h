/* What a worker finds out, once a turn, about the load of the whole server. */
#pragma once

#include "workers/inbound/worker.h"

/* Tells the others how much memory its clients hold, and looks how much of the budget is left, and on which rung
 * of the ladder the server stands. True when either has changed, which all connections are to be told. */
bool worker_look_at_load(struct worker *worker);
/* Tells whom it is at, for whoever wonders why it does not turn. */
void worker_note_at_hand(struct worker *worker, struct connection *connection);
/* Octets that its clients make it hold; what it keeps unused is not among them. */
uint64_t worker_memory_in_use(const struct worker *worker);

/* Any thread: connections that it was given so far, and those that are open or on their way. */
uint64_t worker_assigned(const struct worker *worker);
uint64_t worker_open(const struct worker *worker);
/* Any thread: connections that this acceptor has handed to workers so far. */
uint64_t workers_assigned_by(const struct worker *workers, uint32_t worker_count, uint32_t acceptor);
