/* TLS with next hops: the handshake, what is told of it, and what becomes of one that fails. */
#include "workers/hop/internal.h"

#include "workers/tls/client/client.h"

/* A hop that may do without TLS, and has failed at it, is spoken to in plain text for so long. */
#define PLAIN_MS (UINT64_C(5) * 60 * 1000)

/* ---- memory -------------------------------------------------------------------------------------------- */

static size_t size_of(const struct hop_connection *connection)
{
        size_t size = connection->stream == NULL ? 0 : tls_stream_size(connection->stream);
        return sizeof *connection + connection->unsent_length + size;
}

bool hop_connection_count(struct hop_thread *thread, struct hop_connection *connection)
{
        size_t size = size_of(connection), before = connection->counted;

        if (size > before && !account_take(&thread->account, size - before, BUDGET_FOR_REST))
                return false;
        if (size < before)
                account_give_back(&thread->account, before - size);
        connection->counted = size;
        return true;
}

/* Of a stream that stands or is to. */
static bool count_stream(struct hop_thread *thread, struct hop_connection *connection)
{
        if (hop_connection_count(thread, connection))
                return true;
        connection->lacks_memory = true;
        tls_stream_break(connection->stream, "memory is out");
        return false;
}

/* ---- what is told -------------------------------------------------------------------------------------- */

/* Once, and when it is another one than before. */
static void tell(struct hop_thread *thread, struct hop_connection *connection)
{
        const SSL *ssl = tls_stream_ssl(connection->stream);
        const struct hop_security security = {SSL_get_version(ssl), SSL_get_cipher_name(ssl),
                                              tls_client_fault(ssl)};
        struct hop_security *told = &connection->target->security;
        char name[NEXT_HOP_TEXT_MAX + 1];

        if (told->version == security.version && told->cipher == security.cipher &&
            told->fault == security.fault)
                return;
        *told = security;
        next_hop_write_string(&connection->target->hop, name);
        if (security.fault == NULL)
                log_event(thread->log, "next_hop_secured", "next_hop", name, "version", security.version,
                          "cipher", security.cipher, NULL);
        else
                log_event(thread->log, "next_hop_secured", "next_hop", name, "version", security.version,
                          "cipher", security.cipher, "fault", security.fault, NULL);
}

/* ---- handshake ----------------------------------------------------------------------------------------- */

enum hop_starttls hop_secure_wish(const struct hop_thread *thread, const struct hop_target *target)
{
        enum hop_starttls starttls = next_hop_starttls(&target->hop, thread->settings.starttls);
        bool is_plain = starttls == HOP_STARTTLS_MAY && thread->now_ms < target->plain_until_ms;

        return is_plain ? HOP_STARTTLS_NONE : starttls;
}

static struct tls_stream *make_stream(struct hop_thread *thread, struct hop_connection *connection)
{
        struct hop_target *target = connection->target;
        const struct tls_client_wish wish = {
            .name = target->hop.kind == NEXT_HOP_AT_NAME ? target->hop.name : NULL,
            .address = &connection->address,
            .is_demanded = connection->terms.starttls == HOP_STARTTLS_MUST,
            .resumption = &target->resumption,
        };

        return tls_stream_create(tls_client_new_ssl(thread->settings.tls, &wish), &thread->tls);
}

static enum hop_event fail(struct hop_thread *thread, struct hop_connection *connection, const char *reason)
{
        return hop_handshake_failed(&connection->hop, reason, &thread->out);
}

enum hop_event hop_secure_begin(struct hop_thread *thread, struct hop_connection *connection)
{
        if (thread->settings.tls == NULL)
                return fail(thread, connection, "the configuration in force wants TLS with no next hop");
        connection->stream = make_stream(thread, connection);
        if (connection->stream == NULL)
                return fail(thread, connection, "memory is out");
        if (!count_stream(thread, connection) ||
            tls_stream_handshake(connection->stream, SPAN("")) == TLS_FAILED)
                return fail(thread, connection, tls_stream_reason(connection->stream));
        return HOP_WAITS;
}

enum hop_event hop_secure_go_on(struct hop_thread *thread, struct hop_connection *connection,
                                struct span octets, struct span *ret_input)
{
        struct tls_stream *stream = connection->stream;
        enum tls_progress progress = tls_stream_handshake(stream, octets);
        size_t length = 0;

        if (progress == TLS_DONE)
                length = tls_stream_open(stream, SPAN(""), thread->input, HOP_READ_SIZE);
        *ret_input = span_of(thread->input, length);
        if (progress == TLS_FAILED || !count_stream(thread, connection))
                return fail(thread, connection, tls_stream_reason(stream));
        if (progress == TLS_WAITS)
                return HOP_WAITS;
        tell(thread, connection);
        return hop_secured(&connection->hop, &thread->out);
}

/* ---- one that fails -------------------------------------------------------------------------------------- */

bool hop_secure_is_under_way(const struct hop_connection *connection)
{
        return connection->stream != NULL && !tls_stream_is_established(connection->stream);
}

static bool lacks_memory(const struct hop_connection *connection)
{
        return connection->lacks_memory || tls_stream_lacks_memory(connection->stream);
}

bool hop_secure_gives_up(struct hop_thread *thread, struct hop_connection *connection, const char *reason)
{
        struct hop_target *target = connection->target;
        char name[NEXT_HOP_TEXT_MAX + 1];

        if (!hop_secure_is_under_way(connection) || connection->terms.starttls != HOP_STARTTLS_MAY ||
            connection->hop.ending == HOP_ENDED_BY_FAULT || lacks_memory(connection))
                return false;
        if (thread->now_ms >= target->plain_until_ms) {
                next_hop_write_string(&target->hop, name);
                log_event(thread->log, "next_hop_plain", "next_hop", name, "reason", reason, NULL);
        }
        target->plain_until_ms = thread->now_ms + PLAIN_MS;
        return true;
}
