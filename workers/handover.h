/* The worker's side of delivery: which thread gets a message, what is in flight, what comes back. */
#pragma once

#include "workers/worker.h"

/* Sends the message that the session wants stored. False when memory is out: then nothing was sent. */
bool handover_store(struct worker *worker, struct connection *connection);
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
