/* Octets between a connection's socket, what is kept of them, and the worker's buffers. Only for
 * connection*.c. */
#pragma once

#include "workers/inbound/connection.h"

enum received { RECEIVED_OCTETS, RECEIVED_NOTHING, RECEIVED_END };

/* What the socket has, into `room`; nothing without an edge. *ret_octets is empty where there are none. */
enum received connection_take(struct connection *connection, char *room, size_t size,
                              struct span *ret_octets);
/* Puts more octets behind *input, which is moved to the front of the worker's buffer. */
enum received connection_receive(struct worker *worker, struct connection *connection, struct span *input);
/* Asks epoll for the edge once more, so that the rest is read in a later turn. */
void connection_read_later(struct worker *worker, struct connection *connection);
/* What the session has left of its input waits in `unread`. False when memory is out, or its budget. */
bool connection_keep_input(struct worker *worker, struct connection *connection, struct span input);
/* There are octets that the session has not seen; an end of file is none. */
bool connection_has_input(struct worker *worker, struct connection *connection);

/* Sends worker->out; what the socket does not take stays in `unsent`. False when the connection is broken. */
bool connection_flush(struct worker *worker, struct connection *connection);
/* Sends what it can of `unsent`. False when the connection is broken. */
bool connection_send_kept(struct worker *worker, struct connection *connection);

void kept_end(struct worker *worker, struct kept **kept);
