/* TLS on a connection: STARTTLS, handshakes in turn, and octets by way of the stream. Only for connection*.c and
 * the worker. */
#pragma once

#include "workers/inbound/connection_io.h"

/* False when memory is out. */
bool worker_tls_init(struct worker *worker);
void worker_tls_end(struct worker *worker);
/* Once a turn: goes on with some of the handshakes for which octets have come, those first that have waited longest. */
void worker_take_handshakes(struct worker *worker);
/* There are some left for the next turn. */
static inline bool worker_has_handshakes(const struct tls_work *work)
{
        return !TAILQ_EMPTY(&work->ready);
}

/* The wish was SECURE: makes TLS ready, where there is room for one handshake more, and tells the session.
 * `behind` is what the client has sent behind its line. */
enum session_wish connection_secure(struct worker *worker, struct connection *connection, struct span behind);
/* The wish is HANDSHAKE, and octets have come: they have their turn in worker_take_handshakes(). */
void connection_shake_later(struct worker *worker, struct connection *connection);
/* Goes on with the handshake, and tells the session how it ended, if it has. What the client said behind it is in
 * `unread`. Returns the wish that then holds. */
enum session_wish connection_shake(struct worker *worker, struct connection *connection);

/* connection_receive() and connection_has_input() where TLS stands. */
enum received connection_receive_sealed(struct worker *worker, struct connection *connection,
                                        struct span *input);
/* What has been opened is all that will come: no edge is to be waited for. */
bool connection_is_at_end(const struct connection *connection);
bool connection_has_sealed_input(struct worker *worker, struct connection *connection);
/* Brings worker->out into the form in which it is sent, with close_notify behind the last words. False when the
 * stream is broken. */
bool connection_seal(struct worker *worker, struct connection *connection);
/* The client has ended, or what it sends is of no use: tells the client. */
void connection_end_sealed(struct worker *worker, struct connection *connection);
/* The session is about to end, whoever found that it must: tells it why TLS broke, if it did. */
void connection_note_broken(struct connection *connection);
/* Gives the stream back. What is to be sent yet has been sealed. */
void connection_unsecure(struct worker *worker, struct connection *connection);
