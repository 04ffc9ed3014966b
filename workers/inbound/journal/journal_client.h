/* What of a worker's mail goes to the journal, and what it is told of it. The jobs are delivery_client.h's. */
#pragma once

#include "workers/inbound/worker.h"

/* The message is for next hops and, where no transfer has it, the journal's. */
bool journal_client_takes(const struct worker *worker, const struct message *message);
/* What the record tells beside the message. */
void journal_client_fill(struct journal_job *job, const struct connection *connection);
/* A next hop is done with the message, and not all have it: what it has left goes to the journal, if that is what the
 * client is to be told 250 for. Takes the content over then. */
bool journal_client_rescue(struct worker *worker, struct connection *connection,
                           const struct transfer *transfer, struct content *content);
