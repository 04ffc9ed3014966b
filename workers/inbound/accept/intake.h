/* What an acceptor does with each connection: accept, judge, greet, hand over. */
#pragma once

#include "workers/inbound/accept/acceptor.h"

/* Takes one, who may have to be waited for. */
enum accepted intake_one(struct acceptor *acceptor, const struct listener *listener);
/* Takes up to `max` who are there, and gives their number. *ret_last: what became of the last attempt. */
uint32_t intake_all(struct acceptor *acceptor, const struct listener *listener, uint64_t max,
                    enum accepted *ret_last);
/* Takes all out of the queue of a listener that departs, be there room for them or not, and gives what became of the
 * last attempt. At a stop, or where descriptors have been out for long, they are turned away. */
enum accepted intake_last(struct acceptor *acceptor, const struct snapshot *snapshot,
                          const struct listener *listener, enum departure departure);
