/* Closing what cannot be used any more, without losing our last words, and what the acceptor still holds. */
#include "workers/inbound/connection_close.h"

#include "workers/inbound/connection_io.h"
#include "workers/inbound/connection_table.h"
#include "workers/inbound/connection_tls.h"
#include "workers/inbound/delivery_client.h"
#include "workers/inbound/hop/hop_client.h"
#include "workers/inbound/filter/filter_client.h"
#include "workers/inbound/worker.h"
#include "workers/inbound/worker_log.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define DRAIN_MAX_KIB 256 /* that a client that has been refused may send */

static void connection_close_socket(struct worker *worker, struct connection *connection)
{
        close(connection->fd);
        counter_add(&worker->closed, 1);
        connection_table_put_back(&worker->connections, connection);
}

void connection_close(struct worker *worker, struct connection *connection)
{
        wheel_cancel(&worker->wheel, &connection->timer);
        client_table_leave(worker->clients, &connection->session.connected, &connection->seat);
        kept_end(worker, &connection->unread);
        kept_end(worker, &connection->unsent);
        connection_table_leave(&worker->connections, connection);
        if (inflows_hold(worker->inflows, worker->acceptor_count, connection))
                LIST_INSERT_HEAD(&worker->connections.closing, connection, entry);
        else
                connection_close_socket(worker, connection);
}

void connections_close_later(struct worker *worker)
{
        struct connection *next;

        for (struct connection *connection = LIST_FIRST(&worker->connections.closing); connection != NULL;
             connection = next) {
                next = LIST_NEXT(connection, entry);
                if (inflows_hold(worker->inflows, worker->acceptor_count, connection))
                        continue;
                LIST_REMOVE(connection, entry);
                connection_close_socket(worker, connection);
        }
}

void connection_end_session(struct worker *worker, struct connection *connection, enum session_ending ending)
{
        delivery_client_abort(worker, connection);
        hop_client_abort(worker, connection);
        filter_client_end(connection);
        connection_note_broken(connection);
        session_end(&connection->session, ending);
        worker_make_log_room(worker);
        connection_unsecure(worker, connection);
        publication_unpin(connection->published, worker->number);
        connection->has_ended = true;
}

void connection_abandon(struct worker *worker, struct connection *connection, enum session_ending ending)
{
        if (!connection->has_ended)
                connection_end_session(worker, connection, ending);
        connection_close(worker, connection);
}

bool connection_is_gone(struct worker *worker, struct connection *connection, uint32_t events)
{
        if (connection->wish == SESSION_OPEN && (events & EPOLLRDHUP) != 0)
                return !connection_has_input(worker, connection);
        return (connection->wish == SESSION_PARK || connection->wish == SESSION_OPEN ||
                connection->wish == SESSION_FILTER) &&
               (events & (EPOLLHUP | EPOLLERR)) != 0;
}

void connection_break(struct worker *worker, struct connection *connection)
{
        if (connection->wish == SESSION_STORE)
                shutdown(connection->fd, SHUT_RDWR);
        else
                connection_abandon(worker, connection, SESSION_ENDED_BY_CLIENT);
}

void connection_drain(struct worker *worker, struct connection *connection)
{
        while (connection->is_readable && connection->drained_kib < DRAIN_MAX_KIB) {
                ssize_t received = recv(connection->fd, worker->input, READ_SIZE, 0);
                if (received < 0 && errno == EAGAIN)
                        return;
                if (received <= 0)
                        break;
                connection->drained_kib += (uint16_t)(received / 1024 + 1);
        }
        if (connection->is_readable)
                connection_close(worker, connection);
}

void connection_finish(struct worker *worker, struct connection *connection)
{
        if (connection->is_quit || worker->stopping == STOP_NOW || shutdown(connection->fd, SHUT_WR) != 0) {
                connection_close(worker, connection);
                return;
        }
        connection_drain(worker, connection);
}
