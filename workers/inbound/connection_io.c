/* Octets between a connection's socket and the worker's buffers. */
#include "workers/inbound/connection_io.h"

#include "workers/inbound/connection_tls.h"
#include "workers/inbound/worker.h"
#include "workers/local/octets.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/epoll.h>

static size_t kept_size(const struct kept *kept)
{
        return kept == NULL ? 0 : sizeof *kept + kept->room;
}

/* Makes *kept hold `octets` behind what it holds already. False, with nothing changed, when memory is out, or
 * its budget. */
static bool keep_more(struct worker *worker, struct kept **kept, struct span octets)
{
        size_t length = *kept == NULL ? 0 : (*kept)->length, size = kept_size(*kept);
        size_t wanted = sizeof **kept + length + octets.length;

        if (*kept == NULL || wanted > size) {
                if (!account_take(&worker->account, wanted - size, BUDGET_FOR_REST))
                        return false;
                struct kept *longer = realloc(*kept, wanted);
                if (longer == NULL) {
                        account_give_back(&worker->account, wanted - size);
                        return false;
                }
                longer->room = length + octets.length;
                *kept = longer;
        }
        memcpy((*kept)->octets + length, octets.at, octets.length);
        (*kept)->length = length + octets.length;
        return true;
}

void kept_end(struct worker *worker, struct kept **kept)
{
        account_give_back(&worker->account, kept_size(*kept));
        free(*kept);
        *kept = NULL;
}

/* ---- output -------------------------------------------------------------------------------------------- */

/* epoll looks anew and reports what is ready now. */
static void watch_again(struct worker *worker, struct connection *connection)
{
        struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET,
                                    .data.u64 = (uint64_t)connection->fd};

        if (connection->wants_output_edge)
                event.events |= EPOLLOUT;
        /* Unknown to epoll is one that is to be dropped: its time limit ends it. */
        expect(epoll_ctl(worker->epoll_fd, EPOLL_CTL_MOD, connection->fd, &event) == 0 || errno == ENOENT);
}

static void wait_for_output(struct worker *worker, struct connection *connection)
{
        if (connection->wants_output_edge)
                return;
        connection->wants_output_edge = true;
        watch_again(worker, connection);
}

/* The end of the connection, which comes at once, goes into the segment of the last words: one less for both
 * sides. Not where octets of the client may be unread: these would turn the end into a reset that leaves the
 * last words behind. */
static int flags_of(const struct connection *connection)
{
        return connection->wish == SESSION_CLOSE && !connection->is_readable ? MSG_MORE : 0;
}

bool connection_flush(struct worker *worker, struct connection *connection)
{
        struct text *out = &worker->out;

        if (worker->host.follow.active != 0)
                follow_sent(&connection->session, out);
        if (connection->tls != NULL) {
                if (!connection_seal(worker, connection))
                        return false;
                out = &worker->tls.buffers.output;
        }
        struct span octets = text_span(out);
        out->length = 0;
        if (octets.length == 0)
                return true;
        if (connection->unsent == NULL && !socket_send(connection->fd, &octets, flags_of(connection)))
                return false;
        if (octets.length == 0)
                return true;
        wait_for_output(worker, connection);
        return keep_more(worker, &connection->unsent, octets);
}

bool connection_send_kept(struct worker *worker, struct connection *connection)
{
        struct kept *unsent = connection->unsent;
        struct span octets = span_of(unsent->octets, unsent->length);

        if (!socket_send(connection->fd, &octets, 0))
                return false;
        memmove(unsent->octets, octets.at, octets.length);
        unsent->length = octets.length;
        if (octets.length == 0)
                kept_end(worker, &connection->unsent);
        return true;
}

/* ---- input --------------------------------------------------------------------------------------------- */

enum received connection_take(struct connection *connection, char *room, size_t size, struct span *ret_octets)
{
        *ret_octets = SPAN("");
        if (!connection->is_readable)
                return RECEIVED_NOTHING;
        ssize_t received = socket_receive(connection->fd, room, size);
        if (received < 0 && errno == EAGAIN) {
                connection->is_readable = false;
                return RECEIVED_NOTHING;
        }
        if (received <= 0)
                return RECEIVED_END;
        /* Under an edge a short read has emptied the socket, but for an end of file that came with the same
         * edge. */
        connection->is_readable = (size_t)received == size || connection->is_hung_up;
        *ret_octets = span_of(room, (size_t)received);
        return RECEIVED_OCTETS;
}

enum received connection_receive(struct worker *worker, struct connection *connection, struct span *input)
{
        struct span octets;

        if (!connection->is_readable && connection->tls == NULL)
                return RECEIVED_NOTHING;
        /* A session leaves no more. What a peer sends is no reason to end the process: that client goes. */
        if (input->length > SESSION_INPUT_MAX)
                return RECEIVED_END;
        if (input->length > 0)
                memmove(worker->input, input->at, input->length);
        if (connection->tls != NULL)
                return connection_receive_sealed(worker, connection, input);
        enum received received =
            connection_take(connection, worker->input + input->length, READ_SIZE, &octets);
        *input = span_of(worker->input, input->length + octets.length);
        return received;
}

void connection_read_later(struct worker *worker, struct connection *connection)
{
        connection->is_readable = false;
        watch_again(worker, connection);
}

bool connection_keep_input(struct worker *worker, struct connection *connection, struct span input)
{
        struct kept *before = connection->unread;

        connection->unread = NULL;
        bool is_kept = input.length == 0 || keep_more(worker, &connection->unread, input);
        kept_end(worker, &before);
        return is_kept;
}

bool connection_has_input(struct worker *worker, struct connection *connection)
{
        char octet;

        if (connection->tls != NULL && connection->unread == NULL)
                return connection_has_sealed_input(worker, connection);
        return connection->unread != NULL ||
               (connection->is_readable && recv(connection->fd, &octet, 1, MSG_PEEK) > 0);
}
