/* The listeners of the snapshot in force: they come and go with reloads, and all go at the stop. */
#pragma once

#include "conf/complaints.h"
#include "workers/server/server.h"

/* Before the user changes: binds what the snapshot wants. Failures are told by listening_begin(), when there is a
 * log. */
void listening_bind_early(struct server *server, const struct snapshot *snapshot);
/* At the start: what is wanted, where nobody can connect yet. False, with the reason told, when one cannot be bound. */
bool listening_prepare(struct server *server, const struct snapshot *snapshot, struct listener **ret_bound);
/* And opens it. What a predecessor has handed over, and is not wanted any more, departs. False, with the reason told,
 * when one cannot be opened. */
bool listening_begin(struct server *server, const struct snapshot *snapshot, struct listener *bound);

/* A reload takes four steps. First it binds what is wanted and not among the server's listeners; nobody can connect
 * yet. False, with the reason told, when one cannot be bound; then none is. With `complaints` the reason is one of
 * them, and the caller tells them. */
bool listening_bind(struct server *server, const struct snapshot *snapshot,
                    struct conf_complaints *complaints, struct listener **ret_bound);
/* Clients can connect to them from now on; or to none, and the caller frees them. */
bool listening_open(struct server *server, struct listener *bound, struct conf_complaints *complaints);
/* Gives them to those who accept. */
void listening_use(struct server *server, struct listener *opened);
/* Lets go what is no longer wanted, and tells the others whether they take PROXY headers now. A listener that only
 * moves between `listen` and `proxy_listen` keeps its socket, and those in its queue count as of the new kind. */
void listening_drop(struct server *server, const struct snapshot *snapshot);

/* All go to another process, with those in their queues. False when somebody uses one still at this moment of
 * clock_monotonic_ms(). */
bool listening_leave(struct server *server, uint64_t until_ms);
/* At the stop: all depart. Acceptors let nobody in any more when this returns; those who still come are told. */
void listening_stop(struct server *server);
