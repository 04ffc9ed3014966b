/* The ends of connections: of the session, of what it has kept, and of the socket. */
#pragma once

#include "workers/inbound/connection.h"

/* The session ends, and with it what only it needs. The socket is open still. */
void connection_end_session(struct worker *worker, struct connection *connection, enum session_ending ending);
/* The session, if it has not ended yet, and the socket. */
void connection_abandon(struct worker *worker, struct connection *connection, enum session_ending ending);
/* While answers are waited for, and these events come: whether nobody is there to hear them. A client that says no more
 * may still want its reply; but one that has not sent the text has no use for the go-ahead of a next hop. */
bool connection_is_gone(struct worker *worker, struct connection *connection, uint32_t events);
/* The socket is of no use any more; but a session stays until its message is stored. */
void connection_break(struct worker *worker, struct connection *connection);
/* The session has ended and its last words are with the kernel. */
void connection_finish(struct worker *worker, struct connection *connection);
/* Reads what the client still sends, so that our last words are not lost to a reset. */
void connection_drain(struct worker *worker, struct connection *connection);
/* Its session has ended. */
void connection_close(struct worker *worker, struct connection *connection);
/* Once a turn: closes those that could not be closed yet. */
void connections_close_later(struct worker *worker);
