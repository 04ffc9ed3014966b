/* What goes out to a next hop: sealed where TLS stands, and kept where the socket does not take it. */
#include "workers/hop/internal.h"

#include "workers/local/octets.h"

#include <errno.h>
#include <sys/epoll.h>

void hop_octets_watch(struct hop_thread *thread, struct hop_connection *connection, bool waits_for_output)
{
        struct epoll_event event = {.events = EPOLLIN | (waits_for_output ? EPOLLOUT : 0),
                                    .data.ptr = connection};

        if (connection->waits_for_output == waits_for_output)
                return;
        connection->waits_for_output = waits_for_output;
        expect(epoll_ctl(thread->epoll_fd, EPOLL_CTL_MOD, connection->fd, &event) == 0);
}

void hop_octets_note_failure(struct hop_connection *connection)
{
        connection->lacks_memory |= errno == ENOMEM || errno == ENOBUFS;
}

/* False: the connection is broken. */
static bool send_octets(struct hop_connection *connection, struct span *octets)
{
        if (socket_send(connection->fd, octets, 0))
                return true;
        hop_octets_note_failure(connection);
        return false;
}

static bool keep(struct hop_thread *thread, struct hop_connection *connection, struct span octets)
{
        char *longer = realloc(connection->unsent, connection->unsent_length + octets.length);

        if (longer != NULL) {
                memcpy(longer + connection->unsent_length, octets.at, octets.length);
                connection->unsent = longer;
                connection->unsent_length += octets.length;
        }
        connection->lacks_memory = longer == NULL || !hop_connection_count(thread, connection);
        return !connection->lacks_memory;
}

/* What the machine has said, with what a handshake has. The buffer of TLS is every connection's, and empty after this.
 * False: TLS is broken. */
static bool take_said(struct hop_thread *thread, struct hop_connection *connection, bool is_last,
                      struct span *ret_octets)
{
        struct tls_stream *stream = connection->stream;

        *ret_octets = text_span(&thread->out);
        thread->out.length = 0;
        if (stream == NULL)
                return true;
        bool is_whole = !tls_stream_is_established(stream) || tls_stream_seal(stream, *ret_octets);
        if (is_last)
                tls_stream_close(stream);
        *ret_octets = text_span(&thread->tls.output);
        thread->tls.output.length = 0;
        return is_whole;
}

bool hop_octets_flush(struct hop_thread *thread, struct hop_connection *connection)
{
        struct span octets;

        if (!take_said(thread, connection, false, &octets))
                return false;
        if (octets.length == 0)
                return true;
        if (connection->unsent == NULL && !send_octets(connection, &octets))
                return false;
        if (octets.length > 0 && !keep(thread, connection, octets))
                return false;
        hop_sent(&connection->hop, connection->unsent_length);
        hop_octets_watch(thread, connection, connection->unsent != NULL);
        return true;
}

bool hop_octets_send_kept(struct hop_thread *thread, struct hop_connection *connection)
{
        struct span octets = span_of(connection->unsent, connection->unsent_length);

        if (!send_octets(connection, &octets))
                return false;
        if (octets.length > 0) {
                memmove(connection->unsent, octets.at, octets.length);
        } else {
                free(connection->unsent);
                connection->unsent = NULL;
        }
        connection->unsent_length = octets.length;
        hop_connection_count(thread, connection);
        hop_sent(&connection->hop, octets.length);
        hop_octets_watch(thread, connection, octets.length > 0);
        return true;
}

void hop_octets_send_last(struct hop_thread *thread, struct hop_connection *connection)
{
        struct span octets;

        take_said(thread, connection, true, &octets);
        if (connection->unsent == NULL)
                send_octets(connection, &octets);
}
