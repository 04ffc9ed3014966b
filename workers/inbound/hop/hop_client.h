/* The worker's side of next hops: what it asks of the hop threads, what is in flight, what comes back. */
#pragma once

#include "workers/inbound/worker.h"

/* Connects the worker with the hop threads. False when memory is out. */
bool hop_client_init(struct worker *worker);
/* Asks for a go-ahead for the session's envelope. False when memory is out. */
bool hop_client_open(struct worker *worker, struct connection *connection);
/* Sends a piece of the message ahead. Without memory the text just stays here for now. */
void hop_client_send(struct worker *worker, struct connection *connection, struct message *message);
/* Sends what is left of the message, and the order to deliver. */
void hop_client_store(struct worker *worker, struct connection *connection);
/* The message, if there is one on its way, is not wanted any more. */
void hop_client_abort(struct worker *worker, struct connection *connection);
/* Memory is short: of what was sent ahead nothing is kept any more. */
void hop_client_keep_nothing(struct worker *worker, struct transfer *transfer);
/* Takes the reports that have come. */
void hop_client_receive(struct worker *worker);
bool hop_client_has_reports(const struct worker *worker);
/* Once a turn; false while a ring is full. */
bool hop_client_flush(struct worker *worker);
/* After the hop threads have ended. */
void hop_client_end(struct worker *worker);
