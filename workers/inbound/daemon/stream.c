/* Streams: octets between a daemon's socket and its owner. */
#include "workers/inbound/daemon/stream.h"

#include "core/base/expect.h"
#include "workers/local/octets.h"
#include "workers/local/socket.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUEUING_MS 20 /* between two tries */
#define WATCHED    (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)

/* ---- all of them --------------------------------------------------------------------------------------- */

struct streams *streams_create(int epoll_fd, struct account *account, uint64_t now_ms)
{
        struct streams *streams = malloc(sizeof *streams);

        if (streams == NULL)
                return NULL;
        *streams = (struct streams){.epoll_fd = epoll_fd, .account = account, .now_ms = now_ms};
        wheel_init(&streams->wheel, now_ms);
        TAILQ_INIT(&streams->closed);
        TAILQ_INIT(&streams->queuing);
        return streams;
}

static void bury(struct streams *streams)
{
        struct stream *stream;

        while ((stream = TAILQ_FIRST(&streams->closed)) != NULL) {
                TAILQ_REMOVE(&streams->closed, stream, entry);
                free(stream);
        }
}

void streams_turn(struct streams *streams, uint64_t now_ms)
{
        streams->now_ms = now_ms;
        bury(streams);
}

void streams_destroy(struct streams *streams)
{
        if (streams == NULL)
                return;
        bury(streams);
        free(streams->input);
        free(streams);
}

static void try_again(struct streams *streams);

void streams_expire(struct streams *streams)
{
        struct timer *timer;

        if (streams->now_ms >= streams->queuing_ms)
                try_again(streams);
        while ((timer = wheel_expire(&streams->wheel, streams->now_ms)) != NULL) {
                struct stream *stream = (struct stream *)timer;
                if (stream->due_ms > streams->now_ms)
                        wheel_schedule(&streams->wheel, timer, stream->due_ms);
                else
                        stream->act(stream, STREAM_LATE);
        }
}

int streams_wait_ms(const struct streams *streams)
{
        int wait_ms = streams->open_count == 0 ? -1 : wheel_wait_ms(&streams->wheel, streams->now_ms);

        if (TAILQ_EMPTY(&streams->queuing) || (wait_ms >= 0 && wait_ms < QUEUING_MS))
                return wait_ms;
        return QUEUING_MS;
}

/* ---- life ---------------------------------------------------------------------------------------------- */

/* False with errno. */
static bool begin(struct stream *stream)
{
        const struct daemon_address *address = stream->address;
        struct streams *streams = stream->streams;
        struct epoll_event event = {.events = WATCHED,
                                    .data.u64 = EVENT_OF_STREAM | (uint64_t)(uintptr_t)stream};

        if (streams->input == NULL)
                streams->input = malloc(STREAM_UNREAD_MAX + STREAM_READ_SIZE);
        if (streams->input == NULL)
                return false;
        stream->fd =
            address->path != NULL ? local_socket_connect(address->path) : socket_connect(&address->endpoint);
        if (stream->fd < 0)
                return false;
        if (epoll_ctl(streams->epoll_fd, EPOLL_CTL_ADD, stream->fd, &event) == 0)
                return true;
        int error = errno;
        close(stream->fd);
        stream->fd = -1;
        errno = error;
        return false;
}

/* EAGAIN is what a unix socket says whose queue is full: there, unlike in TCP, nobody waits for a place in it. */
static bool begin_or_queue(struct stream *stream)
{
        bool is_begun = begin(stream);

        stream->is_queuing = !is_begun && errno == EAGAIN;
        if (stream->is_queuing)
                TAILQ_INSERT_TAIL(&stream->streams->queuing, stream, entry);
        return is_begun || stream->is_queuing;
}

static void try_again(struct streams *streams)
{
        struct stream *last = TAILQ_LAST(&streams->queuing, stream_list), *stream = NULL;

        streams->queuing_ms = streams->now_ms + QUEUING_MS;
        while (stream != last) {
                stream = TAILQ_FIRST(&streams->queuing);
                TAILQ_REMOVE(&streams->queuing, stream, entry);
                if (!begin_or_queue(stream))
                        stream_set_deadline(stream, streams->now_ms);
        }
}

bool stream_open(struct stream *stream, struct streams *streams, const struct daemon_address *address,
                 void (*act)(struct stream *stream, enum stream_event event))
{
        *stream = (struct stream){
            .streams = streams, .address = address, .act = act, .due_ms = UINT64_MAX, .fd = -1};
        if (!begin_or_queue(stream))
                return false;
        streams->open_count++;
        return true;
}

static void octets_end(struct streams *streams, struct stream_octets *octets)
{
        account_give_back(streams->account, octets->room);
        free(octets->at);
        *octets = (struct stream_octets){0};
}

void stream_close(struct stream *stream)
{
        struct streams *streams = stream->streams;

        expect(!stream->is_closed);
        stream->is_closed = true;
        wheel_cancel(&streams->wheel, &stream->timer);
        if (stream->is_queuing)
                TAILQ_REMOVE(&streams->queuing, stream, entry);
        if (stream->fd >= 0)
                close(stream->fd);
        octets_end(streams, &stream->unread);
        octets_end(streams, &stream->unsent);
        TAILQ_INSERT_HEAD(&streams->closed, stream, entry);
        streams->open_count--;
}

void stream_set_deadline(struct stream *stream, uint64_t due_ms)
{
        stream->due_ms = due_ms;
        wheel_schedule(&stream->streams->wheel, &stream->timer, due_ms);
}

/* ---- octets -------------------------------------------------------------------------------------------- */

static bool octets_keep(struct streams *streams, struct stream_octets *octets, struct span more)
{
        size_t wanted = octets->length + more.length;

        if (wanted > octets->room) {
                if (!account_take(streams->account, wanted - octets->room, BUDGET_FOR_REST))
                        return false;
                char *longer = realloc(octets->at, wanted);
                if (longer == NULL) {
                        account_give_back(streams->account, wanted - octets->room);
                        return false;
                }
                octets->at = longer;
                octets->room = wanted;
        }
        if (more.length > 0)
                memcpy(octets->at + octets->length, more.at, more.length);
        octets->length = wanted;
        return true;
}

bool stream_send(struct stream *stream, struct span octets)
{
        if (stream->is_connected && stream->unsent.length == 0 && !socket_send(stream->fd, &octets, 0))
                return false;
        return octets.length == 0 || octets_keep(stream->streams, &stream->unsent, octets);
}

/* What was kept, as far as the socket takes it. */
static bool send_kept(struct stream *stream)
{
        struct stream_octets *unsent = &stream->unsent;
        struct span octets = span_of(unsent->at, unsent->length);

        if (!socket_send(stream->fd, &octets, 0))
                return false;
        if (octets.length == 0)
                octets_end(stream->streams, unsent);
        else
                memmove(unsent->at, octets.at, unsent->length = octets.length);
        return true;
}

enum stream_received stream_receive(struct stream *stream, struct span *ret_input)
{
        char *input = stream->streams->input;
        size_t before = stream->unread.length;

        if (!stream->is_readable)
                return STREAM_NOTHING;
        ssize_t received = socket_receive(stream->fd, input + before, STREAM_READ_SIZE);
        if (received < 0 && errno == EAGAIN) {
                stream->is_readable = false;
                return STREAM_NOTHING;
        }
        if (received <= 0)
                return STREAM_END;
        /* Under an edge a short read has emptied the socket, but for an end of file. */
        stream->is_readable = received == STREAM_READ_SIZE || stream->is_hung_up;
        if (before > 0)
                memcpy(input, stream->unread.at, before);
        octets_end(stream->streams, &stream->unread);
        *ret_input = span_of(input, before + (size_t)received);
        return STREAM_OCTETS;
}

bool stream_keep(struct stream *stream, struct span rest)
{
        return rest.length == 0 ||
               (rest.length <= STREAM_UNREAD_MAX && octets_keep(stream->streams, &stream->unread, rest));
}

void stream_read_later(struct stream *stream)
{
        struct epoll_event event = {.events = WATCHED,
                                    .data.u64 = EVENT_OF_STREAM | (uint64_t)(uintptr_t)stream};

        stream->is_readable = false;
        expect(epoll_ctl(stream->streams->epoll_fd, EPOLL_CTL_MOD, stream->fd, &event) == 0);
}

/* ---- events -------------------------------------------------------------------------------------------- */

static bool is_refused(const struct stream *stream)
{
        int error = 0;
        socklen_t length = sizeof error;

        return getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0 || error != 0;
}

/* True when the stream has been told that it is connected, and lives on. */
static bool take_connection(struct stream *stream)
{
        if (is_refused(stream)) {
                stream->act(stream, STREAM_LOST);
                return false;
        }
        stream->is_connected = true;
        stream->act(stream, STREAM_CONNECTED);
        return !stream->is_closed;
}

void streams_event(uint64_t of, uint32_t events)
{
        struct stream *stream = (struct stream *)(uintptr_t)(of & ~EVENT_OF_STREAM);
        bool is_hung_up = (events & (EPOLLHUP | EPOLLERR)) != 0;

        if (stream->is_closed || (!stream->is_connected && !((events & EPOLLOUT) || is_hung_up)))
                return;
        if (!stream->is_connected && !take_connection(stream))
                return;
        if ((events & EPOLLOUT) && stream->unsent.length > 0) {
                if (!send_kept(stream)) {
                        stream->act(stream, STREAM_LOST);
                        return;
                }
                if (stream->unsent.length == 0)
                        stream->act(stream, STREAM_SENT);
        }
        if (stream->is_closed || !((events & (EPOLLIN | EPOLLRDHUP)) || is_hung_up))
                return;
        stream->is_readable = true;
        stream->is_hung_up |= is_hung_up || (events & EPOLLRDHUP) != 0;
        stream->act(stream, STREAM_READABLE);
}
