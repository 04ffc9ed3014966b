/* The worker's side of mail filters: for each session that has come so far, a dialogue with each of them. They are
 * asked one after the other, in the order of the configuration, until one has an objection.
 *
 * A connection to a filter is opened when the first recipient is asked about, so whom our own policy refuses costs
 * none. It is the session's, and ends with it. One that fails does not spoil the session: at the next question a new
 * dialogue begins, and is told again what the filter has to know. */
#pragma once

#include "core/smtp/command/filter.h"
#include "workers/inbound/worker.h"

/* What a worker has for filters. */
struct filter_work;

/* `account`: of what filters want changed. NULL when memory is out. */
struct filter_work *filter_work_create(struct account *account);
void filter_work_destroy(struct filter_work *work);

/* The session's wish is FILTER. True: connection_filtered() follows; false: it is answered already, by *ret_report,
 * which holds up to the next call. */
bool filter_client_ask(struct worker *worker, struct connection *connection,
                       struct filter_report *ret_report);
/* The session is over: filters are told, and their connections closed. */
void filter_client_end(struct connection *connection);
