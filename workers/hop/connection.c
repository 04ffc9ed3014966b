/* Connections to next hops: octets between the socket and the machine. */
#include "workers/hop/internal.h"

#include "dns/clock.h"
#include "workers/local/octets.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Whose queue of connections is full is asked again after so long, see connect.c. */
#define BUSY_PAUSE_MS 20

/* ---- its life ------------------------------------------------------------------------------------------ */

static void schedule(struct hop_thread *thread, struct hop_connection *connection)
{
        uint64_t due_ms = connection->due_ms;

        if (connection->state != CONNECTION_CONNECTS && connection->hop.deadline_ms < due_ms)
                due_ms = connection->hop.deadline_ms;
        if (connection->fd < 0 && thread->now_ms + BUSY_PAUSE_MS < due_ms)
                due_ms = thread->now_ms + BUSY_PAUSE_MS;
        wheel_schedule(&thread->wheel, &connection->timer, due_ms);
}

/* Events of this turn may still name it. */
static void bury(struct hop_thread *thread, struct hop_connection *connection)
{
        struct hop_target *target = connection->target;

        if (connection->state == CONNECTION_IDLE)
                TAILQ_REMOVE(&target->idle, connection, idle);
        if (connection->state <= CONNECTION_BEGINS)
                target->connecting_count--;
        target->connection_count--;
        connection->state = CONNECTION_DEAD;
        wheel_cancel(&thread->wheel, &connection->timer);
        if (connection->fd >= 0)
                close(connection->fd);
        free(connection->unsent);
        connection->unsent = NULL;
        tls_stream_free(connection->stream);
        connection->stream = NULL;
        thread->tls.output.length = 0;
        account_give_back(&thread->account, connection->counted);
        TAILQ_REMOVE(&thread->connections, connection, entry);
        TAILQ_INSERT_TAIL(&thread->dead, connection, entry);
}

void hop_connections_free_dead(struct hop_thread *thread)
{
        struct hop_connection *connection;

        while ((connection = TAILQ_FIRST(&thread->dead)) != NULL) {
                TAILQ_REMOVE(&thread->dead, connection, entry);
                free(connection);
        }
}

/* Whoever was ready before has not failed: a store may close what is idle. */
static void end(struct hop_thread *thread, struct hop_connection *connection, const char *reason)
{
        struct hop_target *target = connection->target;
        bool has_failed = connection->state <= CONNECTION_BEGINS;
        char octets[HOP_ANSWER_TEXT_MAX + 32];

        if (hop_secure_is_under_way(connection)) {
                snprintf(octets, sizeof octets, "TLS handshake: %s", reason);
                reason = octets;
        }
        bool gives_up = hop_secure_gives_up(thread, connection, reason);
        bury(thread, connection);
        if (has_failed && !gives_up)
                target_address_failed(thread, target, &connection->address, reason);
}

static struct hop_connection *make(struct hop_thread *thread, struct hop_target *target)
{
        struct hop_connection *connection = malloc(sizeof *connection);

        if (connection == NULL)
                return NULL;
        *connection = (struct hop_connection){.target = target,
                                              .address = target->hop.endpoint.address,
                                              .state = CONNECTION_CONNECTS,
                                              .fd = -1,
                                              .due_ms = thread->now_ms + thread->settings.connect_ms,
                                              .settings = thread->settings,
                                              .waits_for_output = true};
        if (target->hop.kind == NEXT_HOP_AT_NAME)
                connection->address = hop_addresses_choose(&target->addresses, thread->now_ms);
        connection->terms = (struct hop_terms){.hostname = connection->settings.hostname,
                                               .protocol = target->hop.protocol,
                                               .starttls = hop_secure_wish(thread, target),
                                               .naming = next_hop_gives(&target->hop, NEXT_HOP_NAMING)
                                                             ? target->hop.naming
                                                             : connection->settings.naming,
                                               .sends_eight_bit = true,
                                               .transactions_max = connection->settings.transactions_max};
        memcpy(connection->terms.patience_ms, connection->settings.patience_ms,
               sizeof connection->terms.patience_ms);
        return connection;
}

void hop_connection_begin(struct hop_thread *thread, struct hop_target *target)
{
        struct hop_connection *connection = make(thread, target);

        if (connection == NULL) {
                target_unreachable(thread, target, "memory is out");
                return;
        }
        struct address address = connection->address;
        errno = ENOMEM;
        bool is_counted = hop_connection_count(thread, connection);
        if (is_counted && hop_connect(thread, connection)) {
                TAILQ_INSERT_TAIL(&thread->connections, connection, entry);
                target->connection_count++;
                target->connecting_count++;
                schedule(thread, connection);
                return;
        }
        int error = errno;
        if (is_counted)
                account_give_back(&thread->account, connection->counted);
        free(connection);
        target_address_failed(thread, target, &address, strerrordesc_np(error));
}

void hop_connection_take(struct hop_connection *connection, enum hop_connection_state state)
{
        TAILQ_REMOVE(&connection->target->idle, connection, idle);
        connection->state = state;
        connection->due_ms = UINT64_MAX;
}

/* ---- the machine --------------------------------------------------------------------------------------- */

/* The first READY of a connection, and each between two transfers. */
static void be_ready(struct hop_thread *thread, struct hop_connection *connection)
{
        struct hop_target *target = connection->target;

        if (connection->state == CONNECTION_BEGINS) {
                target->connecting_count--;
                hop_count(thread, target, FIGURE_connections_made);
        }
        connection->due_ms = thread->now_ms + connection->settings.idle_ms;
        connection->state = CONNECTION_IDLE;
        TAILQ_INSERT_HEAD(&target->idle, connection, idle);
}

void hop_connection_release(struct hop_thread *thread, struct hop_connection *connection)
{
        if (hop_is_ready(&connection->hop))
                be_ready(thread, connection);
}

/* True: the machine goes on. */
static bool handle(struct hop_thread *thread, struct hop_connection *connection, enum hop_event event)
{
        bool is_named_first = event == HOP_READY && connection->transfer != NULL;

        if (event == HOP_CLOSE) {
                hop_octets_send_last(thread, connection);
                end(thread, connection, connection->hop.answer.text);
                return false;
        }
        if (event == HOP_SECURE)
                hop_secure_begin(thread, connection);
        else if (event == HOP_READY && !is_named_first)
                be_ready(thread, connection);
        else
                dialogue_event(thread, connection, event);
        return true;
}

/* The machine takes `input` and says `event` first. False: the connection is gone. */
static bool run(struct hop_thread *thread, struct hop_connection *connection, enum hop_event event,
                struct span *input)
{
        for (;;) {
                while (event != HOP_WAITS) {
                        if (!handle(thread, connection, event))
                                return false;
                        if (text_room(&thread->out) < HOP_OUT_SIZE / 2 &&
                            !hop_octets_flush(thread, connection))
                                event = hop_lost(&connection->hop, &thread->out);
                        else
                                event = hop_input(&connection->hop, input, &thread->out);
                }
                if (connection->unsent == NULL)
                        dialogue_text(thread, connection);
                bool has_said = thread->out.length > 0;
                if (!hop_octets_flush(thread, connection))
                        event = hop_lost(&connection->hop, &thread->out);
                else if (!has_said || connection->unsent != NULL)
                        return true;
        }
}

void hop_connection_advance(struct hop_thread *thread, struct hop_connection *connection,
                            enum hop_event event)
{
        struct span nothing = {0};

        connection->hop.now_ms = thread->now_ms;
        if (event == HOP_WAITS)
                event = hop_input(&connection->hop, &nothing, &thread->out);
        if (run(thread, connection, event, &nothing))
                schedule(thread, connection);
}

/* ---- octets that come ---------------------------------------------------------------------------------- */

/* The machine takes what lies in thread->input, and says `event` before. False: the connection is gone, here and
 * below. */
static bool take_input(struct hop_thread *thread, struct hop_connection *connection, enum hop_event event,
                       struct span input)
{
        if (event == HOP_WAITS)
                event = hop_input(&connection->hop, &input, &thread->out);
        if (!run(thread, connection, event, &input))
                return false;
        expect(input.length <= HOP_INPUT_MAX);
        memcpy(connection->unread, input.at, input.length);
        connection->unread_length = input.length;
        return true;
}

/* So many octets have come behind those that were left unread. */
static bool take_octets(struct hop_thread *thread, struct hop_connection *connection, size_t length)
{
        memcpy(thread->input, connection->unread, connection->unread_length);
        /* Nobody has asked it: it is not given a message any more. */
        if (connection->state == CONNECTION_IDLE && length > 0)
                hop_connection_take(connection, CONNECTION_LEAVES);
        return take_input(thread, connection, HOP_WAITS,
                          span_of(thread->input, connection->unread_length + length));
}

static bool take_end(struct hop_thread *thread, struct hop_connection *connection)
{
        return run(thread, connection, hop_lost(&connection->hop, &thread->out), &(struct span){0});
}

static bool take_sealed(struct hop_thread *thread, struct hop_connection *connection, struct span octets)
{
        struct tls_stream *stream = connection->stream;
        struct span input;

        if (hop_secure_is_under_way(connection)) {
                enum hop_event event = hop_secure_go_on(thread, connection, octets, &input);
                return take_input(thread, connection, event, input);
        }
        size_t length =
            tls_stream_open(stream, octets, thread->input + connection->unread_length, HOP_READ_SIZE);
        bool is_counted = hop_connection_count(thread, connection);
        if (!take_octets(thread, connection, length))
                return false;
        return (is_counted && tls_stream_end(stream) == TLS_OPEN) || take_end(thread, connection);
}

static bool read_on(struct hop_thread *thread, struct hop_connection *connection)
{
        bool is_plain = connection->stream == NULL;
        char *room = is_plain ? thread->input + connection->unread_length : thread->tls.input;
        ssize_t received = socket_receive(connection->fd, room, is_plain ? HOP_READ_SIZE : TLS_INPUT_MAX);

        if (received < 0 && errno == EAGAIN)
                return true;
        if (received < 0)
                hop_octets_note_failure(connection);
        if (received <= 0)
                return take_end(thread, connection);
        return is_plain ? take_octets(thread, connection, (size_t)received)
                        : take_sealed(thread, connection, span_of(room, (size_t)received));
}

/* ---- events -------------------------------------------------------------------------------------------- */

static void connected(struct hop_thread *thread, struct hop_connection *connection)
{
        int error = 0;
        socklen_t length = sizeof error;

        if (getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0 || error != 0) {
                end(thread, connection, strerrordesc_np(error));
                return;
        }
        connection->state = CONNECTION_BEGINS;
        connection->due_ms = UINT64_MAX;
        hop_begin(&connection->hop, &connection->terms, thread->now_ms);
        hop_octets_watch(thread, connection, false);
        schedule(thread, connection);
}

void hop_connection_event(struct hop_thread *thread, struct hop_connection *connection, uint32_t events)
{
        if (connection->state == CONNECTION_DEAD)
                return;
        if (connection->state == CONNECTION_CONNECTS) {
                connected(thread, connection);
                return;
        }
        connection->hop.now_ms = thread->now_ms;
        if ((events & EPOLLOUT) != 0 && connection->unsent != NULL) {
                bool is_whole = hop_octets_send_kept(thread, connection);
                enum hop_event event = is_whole ? HOP_WAITS : hop_lost(&connection->hop, &thread->out);
                if (!run(thread, connection, event, &(struct span){0}))
                        return;
        }
        if ((events & ~(uint32_t)EPOLLOUT) == 0 || read_on(thread, connection))
                schedule(thread, connection);
}

void hop_connection_leave(struct hop_thread *thread, struct hop_connection *connection)
{
        hop_connection_take(connection, CONNECTION_LEAVES);
        connection->hop.now_ms = thread->now_ms;
        hop_quit(&connection->hop, &thread->out);
        hop_connection_advance(thread, connection, HOP_WAITS);
}

static void tick_connecting(struct hop_thread *thread, struct hop_connection *connection)
{
        bool is_busy = connection->fd < 0;

        if (thread->now_ms >= connection->due_ms)
                end(thread, connection,
                    is_busy ? "its queue of connections stays full" : "the connection took too long");
        else if (is_busy && !hop_connect(thread, connection))
                end(thread, connection, strerrordesc_np(errno));
        else
                schedule(thread, connection);
}

void hop_connection_tick(struct hop_thread *thread, struct hop_connection *connection)
{
        connection->hop.now_ms = thread->now_ms;
        if (connection->state == CONNECTION_CONNECTS) {
                tick_connecting(thread, connection);
        } else if (thread->now_ms >= connection->hop.deadline_ms) {
                hop_connection_advance(thread, connection, hop_timeout(&connection->hop, &thread->out));
        } else if (connection->state == CONNECTION_IDLE && thread->now_ms >= connection->due_ms) {
                hop_connection_leave(thread, connection);
        } else {
                schedule(thread, connection);
        }
}

void hop_connections_end(struct hop_thread *thread)
{
        struct hop_connection *connection, *next;

        for (connection = TAILQ_FIRST(&thread->connections); connection != NULL; connection = next) {
                next = TAILQ_NEXT(connection, entry);
                if (connection->state == CONNECTION_IDLE)
                        hop_connection_leave(thread, connection);
        }
        while ((connection = TAILQ_FIRST(&thread->connections)) != NULL)
                bury(thread, connection);
        hop_connections_free_dead(thread);
}
