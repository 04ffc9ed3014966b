/* The worker's side of delivery: which thread gets a message, what is in flight, what comes back. */
#pragma once

#include "workers/inbound/worker.h"

/* Sends the message that the session wants stored. False when there is nothing to wait for: *ret_report
 * tells whether it is thrown away, as all its recipients want, or memory is out. */
bool delivery_client_store(struct worker *worker, struct connection *connection,
                           struct store_report *ret_report);
/* What a next hop has left of the message goes to the journal; its report is that of the message. `rest` is taken over
 * with its content: it is in one piece of memory, to be freed with free(). False when memory is out. */
bool delivery_client_keep(struct worker *worker, struct connection *connection, struct message *rest);
/* After each call of a session, and when the level of memory has changed: sends ahead what has become long, and
 * aborts what the session has given up. */
void delivery_client_text(struct worker *worker, struct connection *connection);
/* The message in the making, if any, is not wanted any more. */
void delivery_client_abort(struct worker *worker, struct connection *connection);
/* Too much is in flight: the socket is not to be read. Where memory is short, anything is too much. */
bool delivery_client_is_congested(const struct worker *worker, const struct connection *connection);
/* Takes the reports that have come. */
void delivery_client_receive(struct worker *worker);
bool delivery_client_has_reports(const struct worker *worker);
/* Once a turn; false while a ring is full. */
bool delivery_client_flush(struct worker *worker);
/* After the delivery threads have ended. */
void delivery_client_end(struct worker *worker);
