/* Recipients of domains with `recipients = "callout:"`: the next hop is asked, by the hop threads and on the
 * connections that mail goes on. */
#pragma once

#include "workers/hop/transfer.h"
#include "workers/inbound/worker.h"

/* The worker's sessions may ask. */
void callout_init(struct worker *worker);
/* The report of a TRANSFER_ASK, which it frees. */
void callout_take(struct worker *worker, struct transfer *transfer);
