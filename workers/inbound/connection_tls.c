/* TLS on connections: who may begin it, whose handshake goes on when, and what becomes of octets. */
#include "workers/inbound/connection_tls.h"

#include "dns/clock.h"
#include "workers/inbound/worker.h"
#include "workers/tls/context.h"

#include <openssl/x509.h>
#include <stdlib.h>
#include <sys/socket.h>

/* Of handshakes in a turn, so that other clients wait for a few milliseconds at most: a step takes 0.3 ms with a key
 * for ECDSA, and 1 ms with one for RSA. */
#define STEPS_PER_TURN    8
#define STEPS_US          2500
#define SUBJECT_TEXT_SIZE 256

bool worker_tls_init(struct worker *worker)
{
        TAILQ_INIT(&worker->tls.ready);
        return tls_buffers_init(&worker->tls.buffers);
}

void worker_tls_end(struct worker *worker)
{
        tls_buffers_end(&worker->tls.buffers);
}

/* ---- memory and number --------------------------------------------------------------------------------- */

/* Counts what the stream holds now. False when the budget has no room for what it has come to. */
static bool count_memory(struct worker *worker, struct connection_tls *tls, size_t octets)
{
        if (octets > tls->counted && !account_take(&worker->account, octets - tls->counted, BUDGET_FOR_REST))
                return false;
        if (octets < tls->counted)
                account_give_back(&worker->account, tls->counted - octets);
        tls->counted = octets;
        return true;
}

static bool count_stream(struct worker *worker, struct connection_tls *tls)
{
        if (count_memory(worker, tls, tls_stream_size(tls->stream)))
                return true;
        tls_stream_break(tls->stream, "memory is out");
        return false;
}

/* All workers together have so many under way. */
static bool take_place(struct worker *worker, uint64_t max)
{
        if (atomic_fetch_add_explicit(worker->handshakes, 1, memory_order_relaxed) < max)
                return true;
        atomic_fetch_sub_explicit(worker->handshakes, 1, memory_order_relaxed);
        return false;
}

static void give_place_back(struct worker *worker, struct connection_tls *tls)
{
        if (tls->has_place)
                atomic_fetch_sub_explicit(worker->handshakes, 1, memory_order_relaxed);
        tls->has_place = false;
}

/* ---- STARTTLS ------------------------------------------------------------------------------------------ */

void connection_unsecure(struct worker *worker, struct connection *connection)
{
        struct connection_tls *tls = connection->tls;

        if (tls == NULL)
                return;
        if (tls->is_ready)
                TAILQ_REMOVE(&worker->tls.ready, tls, entry);
        give_place_back(worker, tls);
        account_give_back(&worker->account, tls->counted);
        worker->tls.buffers.output.length = 0;
        tls_stream_free(tls->stream);
        free(tls);
        connection->tls = NULL;
}

/* False, and nothing is left of it, where there is no room for one more. */
static bool make_ready(struct worker *worker, struct connection *connection)
{
        const struct published *published = connection->published;
        struct connection_tls *tls = worker->memory >= BUDGET_SPENT || tls_contexts_of(published) == NULL
                                         ? NULL
                                         : calloc(1, sizeof *tls);

        if (tls == NULL)
                return false;
        tls->connection = connection;
        connection->tls = tls;
        tls->has_place = take_place(worker, published->snapshot->options.tls_handshakes_max);
        if (tls->has_place && count_memory(worker, tls, TLS_HANDSHAKE_SIZE))
                tls->stream =
                    tls_stream_create(tls_contexts_new_ssl(tls_contexts_of(published)), &worker->tls.buffers);
        if (tls->stream == NULL)
                connection_unsecure(worker, connection);
        return connection->tls != NULL;
}

/* The socket is asked whatever the last edge was: an octet that came since would be taken for one of the client's
 * first message, behind which the answer to it would be believed (CVE-2011-0411). */
static bool came_early(const struct connection *connection, struct span behind)
{
        char octet;

        return behind.length > 0 || recv(connection->fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

enum session_wish connection_secure(struct worker *worker, struct connection *connection, struct span behind)
{
        bool is_early = came_early(connection, behind);

        if (is_early)
                session_note_early_input(&connection->session);
        enum session_wish wish =
            session_secure(&connection->session, !is_early && make_ready(worker, connection), &worker->out);
        if (wish != SESSION_HANDSHAKE)
                connection_unsecure(worker, connection);
        return wish;
}

/* ---- handshake ----------------------------------------------------------------------------------------- */

void connection_shake_later(struct worker *worker, struct connection *connection)
{
        struct connection_tls *tls = connection->tls;

        if (tls->is_ready || !connection->is_readable)
                return;
        tls->is_ready = true;
        TAILQ_INSERT_TAIL(&worker->tls.ready, tls, entry);
}

void worker_take_handshakes(struct worker *worker)
{
        struct connection_tls *tls = TAILQ_FIRST(&worker->tls.ready);
        uint64_t end_us = tls == NULL ? 0 : clock_monotonic_us() + STEPS_US;

        for (int i = 0; tls != NULL && (i == 0 || (i < STEPS_PER_TURN && clock_monotonic_us() < end_us));
             i++) {
                TAILQ_REMOVE(&worker->tls.ready, tls, entry);
                tls->is_ready = false;
                connection_go_on(worker, tls->connection);
                tls = TAILQ_FIRST(&worker->tls.ready);
        }
}

/* Into the buffer of all streams. */
static enum received take_sealed(struct worker *worker, struct connection *connection,
                                 struct span *ret_octets)
{
        return connection_take(connection, worker->tls.buffers.input, TLS_INPUT_MAX, ret_octets);
}

static struct span server_name_of(const SSL *ssl)
{
        const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

        return name == NULL ? SPAN("") : span_from(name);
}

static enum session_wish tell_failure(struct worker *worker, struct connection *connection,
                                      const char *reason)
{
        const struct tls_stream *stream = connection->tls->stream;
        struct tls_failure failure = {.reason = reason,
                                      .offered = tls_stream_offered(stream),
                                      .server_name = server_name_of(tls_stream_ssl(stream))};

        return session_handshake_failed(&connection->session, &failure, &worker->out);
}

static const char *or_empty(const char *text)
{
        return text == NULL ? "" : text;
}

/* Its subject, or without one, as in certificates that have their names elsewhere, its fingerprint. */
static struct span describe(const X509 *certificate, char octets[static SUBJECT_TEXT_SIZE])
{
        const X509_NAME *subject = X509_get_subject_name(certificate);
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned length = 0;
        struct text text;

        if (X509_NAME_entry_count(subject) > 0)
                return span_from(or_empty(X509_NAME_oneline(subject, octets, SUBJECT_TEXT_SIZE)));
        text_over(&text, octets, SUBJECT_TEXT_SIZE);
        text_put_string(&text, "sha256:");
        if (X509_digest(certificate, EVP_sha256(), digest, &length) == 1)
                text_put_hex(&text, digest, length);
        return text_span(&text);
}

static enum session_wish tell_success(struct worker *worker, struct connection *connection)
{
        SSL *ssl = (SSL *)tls_stream_ssl(connection->tls->stream);
        X509 *certificate = SSL_get0_peer_certificate(ssl);
        char subject[SUBJECT_TEXT_SIZE];
        int group = (int)SSL_get_negotiated_group(ssl);
        struct tls_facts facts = {
            .version = SSL_get_version(ssl),
            .cipher = or_empty(SSL_get_cipher_name(ssl)),
            .group = group == 0 ? "" : or_empty(SSL_group_to_name(ssl, group)),
            .server_name = server_name_of(ssl),
            .client_certificate = certificate == NULL ? SPAN("") : describe(certificate, subject),
            .is_resumed = SSL_session_reused(ssl) == 1,
        };
        return session_secured(&connection->session, &facts, &worker->out);
}

/* TLS stands. What the client has sent behind its last message is its first command, and not early: the server
 * says nothing first. */
static enum session_wish finish_handshake(struct worker *worker, struct connection *connection)
{
        struct connection_tls *tls = connection->tls;
        size_t length = tls_stream_open(tls->stream, SPAN(""), worker->input, READ_SIZE);

        give_place_back(worker, tls);
        if (!count_stream(worker, tls) ||
            !connection_keep_input(worker, connection, span_of(worker->input, length)))
                tls_stream_break(tls->stream, "memory is out");
        return tell_success(worker, connection);
}

enum session_wish connection_shake(struct worker *worker, struct connection *connection)
{
        struct tls_stream *stream = connection->tls->stream;
        enum tls_progress progress = TLS_WAITS;
        struct span octets;
        enum received received;

        while (progress == TLS_WAITS &&
               (received = take_sealed(worker, connection, &octets)) != RECEIVED_NOTHING) {
                if (received == RECEIVED_END)
                        return tell_failure(worker, connection, "closed");
                progress = tls_stream_handshake(stream, octets);
                /* Certificates may have come. */
                if (progress == TLS_WAITS && !count_stream(worker, connection->tls))
                        progress = TLS_FAILED;
        }
        if (progress == TLS_FAILED)
                return tell_failure(worker, connection, tls_stream_reason(stream));
        return progress == TLS_DONE ? finish_handshake(worker, connection) : SESSION_HANDSHAKE;
}

/* ---- octets -------------------------------------------------------------------------------------------- */

/* A record may come in many pieces, and some have nothing for the session; but what there is of it here is bounded
 * by the credit of the stream. */
static enum received open_received(struct worker *worker, struct connection *connection, struct span *input)
{
        struct tls_stream *stream = connection->tls->stream;
        size_t length = 0;

        *input = span_of(worker->input, input->length);
        while (length == 0 && tls_stream_end(stream) == TLS_OPEN) {
                struct span octets;
                enum received received = take_sealed(worker, connection, &octets);
                if (received != RECEIVED_OCTETS)
                        return received;
                length = tls_stream_open(stream, octets, worker->input + input->length, READ_SIZE);
                count_stream(worker, connection->tls);
        }
        *input = span_of(worker->input, input->length + length);
        return length > 0 ? RECEIVED_OCTETS : RECEIVED_END;
}

/* OpenSSL may have something to say to the records, such as that it does not renegotiate. It leaves now, because the
 * buffer is every stream's. */
enum received connection_receive_sealed(struct worker *worker, struct connection *connection,
                                        struct span *input)
{
        enum received received = open_received(worker, connection, input);

        if (worker->tls.buffers.output.length > 0)
                connection_flush(worker, connection);
        return received;
}

bool connection_is_at_end(const struct connection *connection)
{
        return connection->tls != NULL && tls_stream_end(connection->tls->stream) != TLS_OPEN;
}

bool connection_has_sealed_input(struct worker *worker, struct connection *connection)
{
        struct span input = SPAN("");

        if (connection_receive_sealed(worker, connection, &input) != RECEIVED_OCTETS)
                return false;
        if (!connection_keep_input(worker, connection, input))
                tls_stream_break(connection->tls->stream, "memory is out");
        return true;
}

bool connection_seal(struct worker *worker, struct connection *connection)
{
        struct tls_stream *stream = connection->tls->stream;
        struct span octets = text_span(&worker->out);

        worker->out.length = 0;
        if (!tls_stream_is_established(stream)) {
                /* The reply to STARTTLS. */
                text_put(&worker->tls.buffers.output, octets);
                return true;
        }
        if (!tls_stream_seal(stream, octets)) {
                worker->tls.buffers.output.length = 0;
                return false;
        }
        if (connection->wish == SESSION_CLOSE)
                tls_stream_close(stream);
        return true;
}

void connection_end_sealed(struct worker *worker, struct connection *connection)
{
        tls_stream_close(connection->tls->stream);
        connection_flush(worker, connection);
}

void connection_note_broken(struct connection *connection)
{
        if (connection->tls == NULL)
                return;
        const struct tls_stream *stream = connection->tls->stream;
        if (tls_stream_end(stream) == TLS_BROKEN)
                session_tls_broken(&connection->session, tls_stream_reason(stream));
}
