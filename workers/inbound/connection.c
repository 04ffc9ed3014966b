/* Connections: octets from the socket to the session and back, driven by edges, time and reports. */
#include "workers/inbound/connection.h"

#include "dns/pool/client.h"
#include "workers/inbound/connection_close.h"
#include "workers/inbound/connection_io.h"
#include "workers/inbound/connection_table.h"
#include "workers/inbound/connection_tls.h"
#include "workers/inbound/delivery_client.h"
#include "workers/inbound/hop/hop_client.h"
#include "workers/inbound/filter/filter_client.h"
#include "workers/inbound/worker.h"
#include "workers/inbound/worker_load.h"
#include "workers/inbound/worker_log.h"

#include <errno.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/epoll.h>
#include <unistd.h>

#define RECEIVES_PER_TURN 16   /* then others have their turn */
#define CLOSE_WAIT_MS     2000 /* for a client that has been refused to stop sending */
#define STOP_WAIT_MS      500  /* the same when shutdown_timeout is over */

/* ---- session ------------------------------------------------------------------------------------------- */

static void note_early_input(struct worker *worker, struct connection *connection)
{
        if (connection_has_input(worker, connection))
                session_note_early_input(&connection->session);
}

/* The store's turn: neither the client nor an answer is waited for. */
static bool waits_for_delivery(const struct worker *worker, const struct connection *connection)
{
        return !connection->has_ended &&
               (connection->wish == SESSION_STORE || connection->wish == SESSION_OPEN ||
                connection->wish == SESSION_FILTER ||
                (connection->wish == SESSION_READ && delivery_client_is_congested(worker, connection)));
}

static void connection_schedule(struct worker *worker, struct connection *connection)
{
        uint64_t due_ms = connection->session.deadline_ms;

        if (waits_for_delivery(worker, connection))
                due_ms = UINT64_MAX;
        wheel_schedule(&worker->wheel, &connection->timer, due_ms);
}

/* All is done that can be done now. */
static void connection_wait(struct worker *worker, struct connection *connection)
{
        connection_schedule(worker, connection);
        if (connection->wish == SESSION_HANDSHAKE && connection->unsent == NULL)
                connection_shake_later(worker, connection);
}

/* The session has said its last word. */
static void connection_leave(struct worker *worker, struct connection *connection)
{
        enum session_ending ending = connection->session.ending;

        connection_end_session(worker, connection, ending);
        connection->is_quit = ending == SESSION_ENDED_BY_QUIT;
        kept_end(worker, &connection->unread);
        connection->session.deadline_ms =
            worker->host.now_ms + (worker->stopping >= STOP_ALL ? STOP_WAIT_MS : CLOSE_WAIT_MS);
        connection_schedule(worker, connection);
        if (connection->unsent == NULL)
                connection_finish(worker, connection);
}

/* A session call has returned `wish`, and left `input`: does what can be done at once, and gives the wish that
 * then holds. */
static enum session_wish connection_obey(struct worker *worker, struct connection *connection,
                                         enum session_wish wish, struct span input)
{
        static const struct store_report no_memory = {.outcome = STORE_NO_HOP,
                                                      .reason = {"out of memory", 13}};
        struct session *session = &connection->session;
        struct store_report report;
        struct filter_report filtered;

        if (wish == SESSION_FILTER && !filter_client_ask(worker, connection, &filtered))
                wish = session_filtered(session, &filtered, &worker->out);
        if (wish == SESSION_STORE && !delivery_client_store(worker, connection, &report))
                wish = session_stored(session, &report, &worker->out);
        else if (wish == SESSION_OPEN && !hop_client_open(worker, connection))
                wish = session_opened(session, &no_memory, &worker->out);
        else if (wish == SESSION_SECURE)
                wish = connection_secure(worker, connection, input);
        delivery_client_text(worker, connection);
        worker_make_log_room(worker);
        if (wish == SESSION_READ && worker->stopping != STOP_NOT)
                wish = session_stop(session, worker->stopping >= STOP_ALL, &worker->out);
        else if (wish == SESSION_READ && published_age(connection->published) != PUBLISHED_YOUNG)
                wish = session_leave_snapshot(
                    session, published_age(connection->published) == PUBLISHED_TOO_OLD, &worker->out);
        connection->wish = wish;
        return wish;
}

/* What the session has not seen yet: false when there is nothing, or the connection is gone
 * (*ret_is_gone). */
static bool connection_read(struct worker *worker, struct connection *connection, struct span *input,
                            unsigned *receives, bool *ret_is_gone)
{
        if ((*receives)++ >= RECEIVES_PER_TURN && !connection_is_at_end(connection)) {
                connection_read_later(worker, connection);
                return false;
        }
        enum received received = connection_receive(worker, connection, input);
        if (received == RECEIVED_END) {
                if (connection->tls != NULL)
                        connection_end_sealed(worker, connection);
                connection_abandon(worker, connection, SESSION_ENDED_BY_CLIENT);
                *ret_is_gone = true;
        }
        return received == RECEIVED_OCTETS;
}

/* Goes on after a session call that returned `wish`, or after an edge, until there is nothing more to do.
 * `input_is_new`: what is in `unread` has not been offered to the session in its present state. */
static void connection_advance(struct worker *worker, struct connection *connection, enum session_wish wish,
                               bool input_is_new)
{
        struct kept *unread = connection->unread;
        struct span input = unread == NULL ? SPAN("") : span_of(unread->octets, unread->length);
        bool is_gone = false;

        input_is_new = input_is_new && input.length > 0;
        for (unsigned receives = 0;;) {
                wish = connection_obey(worker, connection, wish, input);
                if (!connection_flush(worker, connection)) {
                        connection_break(worker, connection);
                        return;
                }
                if (wish != SESSION_READ || connection->unsent != NULL ||
                    delivery_client_is_congested(worker, connection))
                        break;
                if (!input_is_new && !connection_read(worker, connection, &input, &receives, &is_gone))
                        break;
                wish = session_input(&connection->session, &input, &worker->out);
                /* It stopped for want of room, and is to go on once that is flushed; or the store may fail at
                 * once. */
                input_is_new = input.length > 0 &&
                               (wish == SESSION_STORE || wish == SESSION_OPEN || wish == SESSION_FILTER ||
                                text_room(&worker->out) < SESSION_OUT_ROOM ||
                                text_room(&worker->host.log) < SESSION_LOG_ROOM);
        }
        if (is_gone)
                return;
        if (wish == SESSION_CLOSE)
                connection_leave(worker, connection);
        else if (!connection_keep_input(worker, connection, input))
                connection_break(worker, connection);
        else
                connection_wait(worker, connection);
}

/* ---- from the worker ----------------------------------------------------------------------------------- */

/* Without memory the client is not told: that would take some too. */
static void arrival_abandon(struct worker *worker, const struct arrival *arrival, const struct inflow *inflow)
{
        while (inflow != NULL && !inflow_is_settled(inflow))
                sched_yield();
        client_table_leave(worker->clients, &arrival->peer.client, &arrival->seat);
        close(arrival->fd);
        counter_add(&worker->closed, 1);
        worker_log_event(worker, "connection_lost", "reason", "out of memory", NULL);
}

void connection_begin(struct worker *worker, const struct arrival *arrival, struct inflow *inflow)
{
        struct connection *connection = connection_table_take(&worker->connections);

        if (inflow != NULL)
                inflow->last = connection;
        if (connection == NULL) {
                arrival_abandon(worker, arrival, inflow);
                return;
        }
        *connection = (struct connection){
            .fd = arrival->fd, .seat = arrival->seat, .generation = connection->generation + 1};
        connection_table_enter(&worker->connections, connection);
        struct session_peer peer = arrival->peer;
        peer.dns_handle = connection_handle(connection);
        peer.excess = arrival->excess.is_over ? &arrival->excess : NULL;
        connection->published = publication_pin(worker->publication, worker->number);
        enum session_wish wish = session_begin(&connection->session, &worker->host,
                                               connection->published->snapshot, &peer, &worker->out);
        connection_advance(worker, connection, wish, false);
}

void connection_drop(struct worker *worker, struct connection *connection)
{
        if (connection->has_ended)
                return;
        worker_log_event(worker, "connection_lost", "reason", "epoll takes no more", NULL);
        if (connection->wish == SESSION_READ)
                connection_advance(worker, connection, session_stop(&connection->session, true, &worker->out),
                                   false);
        else
                connection_abandon(worker, connection, SESSION_ENDED_BY_US);
}

void connection_event(struct worker *worker, struct connection *connection, uint32_t events)
{
        bool was_blocked = connection->unsent != NULL;

        /* An acceptor had this reported to wake the worker: nothing is new. */
        if (events == EPOLLOUT && !was_blocked)
                return;
        connection->is_readable |= (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
        connection->is_hung_up |= (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
        if (was_blocked && (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) &&
            !connection_send_kept(worker, connection)) {
                connection_break(worker, connection);
                return;
        }
        if (connection->unsent != NULL)
                return;
        if (connection->has_ended && was_blocked)
                connection_finish(worker, connection);
        else if (connection->has_ended)
                connection_drain(worker, connection);
        else if (connection->wish == SESSION_READ && !delivery_client_is_congested(worker, connection))
                connection_advance(worker, connection, SESSION_READ, was_blocked);
        else if (connection->wish == SESSION_HANDSHAKE)
                connection_shake_later(worker, connection);
        else if (connection_is_gone(worker, connection, events))
                connection_abandon(worker, connection, SESSION_ENDED_BY_CLIENT);
}

void connection_go_on(struct worker *worker, struct connection *connection)
{
        worker_note_at_hand(worker, connection);
        if (connection->wish == SESSION_HANDSHAKE && connection->unsent == NULL)
                connection_advance(worker, connection, connection_shake(worker, connection), true);
}

void connection_tick(struct worker *worker, struct connection *connection)
{
        uint64_t due_ms = connection->session.deadline_ms;

        if (waits_for_delivery(worker, connection))
                return;
        if (due_ms > worker->host.now_ms) {
                connection_schedule(worker, connection);
        } else if (connection->has_ended) {
                connection_close(worker, connection);
        } else {
                if (connection->wish == SESSION_PARK)
                        note_early_input(worker, connection);
                connection_advance(worker, connection, session_timeout(&connection->session, &worker->out),
                                   true);
        }
}

void connection_appended(struct worker *worker, struct connection *connection)
{
        worker_note_at_hand(worker, connection);
        if (connection->wish == SESSION_READ && connection->unsent == NULL &&
            !delivery_client_is_congested(worker, connection))
                connection_advance(worker, connection, SESSION_READ, true);
}

void connection_opened(struct worker *worker, struct connection *connection,
                       const struct store_report *report)
{
        worker_note_at_hand(worker, connection);
        note_early_input(worker, connection);
        connection_advance(worker, connection, session_opened(&connection->session, report, &worker->out),
                           true);
}

void connection_filtered(struct worker *worker, struct connection *connection,
                         const struct filter_report *report)
{
        worker_note_at_hand(worker, connection);
        if (session_message(&connection->session) != NULL)
                note_early_input(worker, connection);
        connection_advance(worker, connection, session_filtered(&connection->session, report, &worker->out),
                           true);
}

void connection_stored(struct worker *worker, struct connection *connection,
                       const struct store_report *report)
{
        worker_note_at_hand(worker, connection);
        note_early_input(worker, connection);
        connection_advance(worker, connection, session_stored(&connection->session, report, &worker->out),
                           true);
}

static bool note_if_parked(struct worker *worker, struct connection *connection)
{
        bool is_parked = connection->wish == SESSION_PARK;
        if (is_parked)
                note_early_input(worker, connection);
        return is_parked;
}

void connection_answer(struct worker *worker, const struct dns_reply_message *message)
{
        struct connection *connection = connection_by_handle(message->handle);

        if (connection == NULL)
                return;
        worker_note_at_hand(worker, connection);
        bool was_parked = note_if_parked(worker, connection);
        enum session_wish wish =
            session_answer(&connection->session, &message->question, &message->answer, &worker->out);
        if (was_parked)
                connection_advance(worker, connection, wish, true);
}

void connection_sender_answer(struct worker *worker, const struct sender_job *job)
{
        struct connection *connection = connection_by_handle(job->handle);

        if (connection == NULL)
                return;
        worker_note_at_hand(worker, connection);
        bool was_parked = note_if_parked(worker, connection);
        enum session_wish wish =
            session_sender_answer(&connection->session, &job->key, job->fact, &job->record, &worker->out);
        if (was_parked)
                connection_advance(worker, connection, wish, true);
}

void connection_ruled(struct worker *worker, uint64_t handle, const struct key128 *key, enum fact fact,
                      const struct ruling *ruling)
{
        struct connection *connection = connection_by_handle(handle);

        if (connection == NULL)
                return;
        worker_note_at_hand(worker, connection);
        bool was_parked = note_if_parked(worker, connection);
        enum session_wish wish = session_ruled(&connection->session, key, fact, ruling, &worker->out);
        if (was_parked)
                connection_advance(worker, connection, wish, true);
}

void connection_stress(struct worker *worker, struct connection *connection)
{
        if (connection->has_ended)
                return;
        delivery_client_text(worker, connection);
        session_set_deadline(&connection->session);
        connection_schedule(worker, connection);
}

void connection_age(struct worker *worker, struct connection *connection)
{
        if (!connection->has_ended && connection->wish == SESSION_READ &&
            published_age(connection->published) != PUBLISHED_YOUNG)
                connection_advance(worker, connection, SESSION_READ, false);
}

/* The store has not reported, and may be stuck. Its client keeps the message, which is not lost then; the mail
 * may come twice. The spool, if any, is the store's now. */
static void connection_forsake(struct worker *worker, struct connection *connection)
{
        worker_log_event(worker, "store_unreported", "id", session_message(&connection->session)->id, NULL);
        worker->forsaken++;
        connection->spool = NULL;
        connection->transfer = NULL;
        connection->wish = session_forsake(&connection->session, &worker->out);
        if (connection_flush(worker, connection))
                shutdown(connection->fd, SHUT_WR);
        connection_abandon(worker, connection, SESSION_ENDED_BY_STOP);
}

/* A message whose text is whole is answered, even when the answers that it waits for are not waited for. All others
 * are told 421 (RFC 5321 3.8): at a boundary between commands now, and wherever they are when the time is over. */
void connection_stop(struct worker *worker, struct connection *connection)
{
        struct session *session = &connection->session;
        bool is_over = worker->stopping >= STOP_ALL;

        if (connection->has_ended) {
                if (is_over)
                        connection_close(worker, connection);
        } else if (connection->wish == SESSION_STORE) {
                if (worker->stopping == STOP_NOW)
                        connection_forsake(worker, connection);
        } else if (is_over && session_message(session) != NULL && note_if_parked(worker, connection)) {
                connection_advance(worker, connection, session_hurry(session, &worker->out), true);
        } else if (is_over || connection->wish == SESSION_READ) {
                connection_advance(worker, connection, session_stop(session, is_over, &worker->out), false);
        }
}
