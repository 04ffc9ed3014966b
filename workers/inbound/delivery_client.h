/* The worker's side of delivery: which thread gets a message, what is in flight, what comes back. */
#pragma once

#include "workers/inbound/worker.h"

/* Sends the message that the session wants stored. False when there is nothing to wait for: *ret_outcome
 * tells whether it is thrown away, as all its recipients want, or memory is out. */
bool handover_store(struct worker *worker, struct connection *connection, enum store_outcome *ret_outcome);
/* After each call of a session: sends ahead what has become long, and aborts what the session has given up.
 */
void handover_text(struct worker *worker, struct connection *connection);
/* The message in the making, if any, is not wanted any more. */
void handover_abort(struct worker *worker, struct connection *connection);
/* Too much is in flight: the socket is not to be read. */
bool handover_is_congested(const struct connection *connection);
/* Takes the reports that have come. */
void handover_receive(struct worker *worker);
/* Once a turn; false while a ring is full. */
bool handover_flush(struct worker *worker);
void handover_end(struct worker *worker);
