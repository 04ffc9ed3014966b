/* Streams: octets between a daemon's socket and its owner. */
#include "workers/inbound/daemon/stream.h"

#include "conf/socket_address.h"
#include "core/base/expect.h"
#include "workers/local/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define WATCHED (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)

/* ---- all of them --------------------------------------------------------------------------------------- */

struct streams *streams_create(int epoll_fd, struct account *account, uint64_t now_ms)
{
        struct streams *streams = malloc(sizeof *streams);

        if (streams == NULL)
                return NULL;
        *streams = (struct streams){.epoll_fd = epoll_fd, .account = account, .now_ms = now_ms};
        wheel_init(&streams->wheel, now_ms);
        return streams;
}

static void bury(struct streams *streams)
{
        struct stream *stream;

        while ((stream = LIST_FIRST(&streams->closed)) != NULL) {
                LIST_REMOVE(stream, entry);
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

void streams_expire(struct streams *streams)
{
        struct timer *timer;

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
        return streams->open_count == 0 ? -1 : wheel_wait_ms(&streams->wheel, streams->now_ms);
}

/* ---- life ---------------------------------------------------------------------------------------------- */

/* Whoever writes a request in one piece waits for nobody's acknowledgement (Nagle). */
static int connect_inet(const struct endpoint *endpoint)
{
        struct sockaddr_storage address;
        socklen_t length = address_to_socket(&endpoint->address, endpoint->port, &address);
        int yes = 1, fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        if (fd < 0)
                return -1;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        if (connect(fd, (const struct sockaddr *)&address, length) == 0 || errno == EINPROGRESS)
                return fd;
        close(fd);
        return -1;
}

static bool begin(struct stream *stream, const struct daemon_address *address)
{
        struct streams *streams = stream->streams;
        struct epoll_event event = {.events = WATCHED,
                                    .data.u64 = EVENT_OF_STREAM | (uint64_t)(uintptr_t)stream};

        if (streams->input == NULL)
                streams->input = malloc(STREAM_UNREAD_MAX + STREAM_READ_SIZE);
        if (streams->input == NULL)
                return false;
        stream->fd =
            address->path != NULL ? local_socket_connect(address->path) : connect_inet(&address->endpoint);
        if (stream->fd < 0)
                return false;
        if (epoll_ctl(streams->epoll_fd, EPOLL_CTL_ADD, stream->fd, &event) == 0)
                return true;
        close(stream->fd);
        return false;
}

bool stream_open(struct stream *stream, struct streams *streams, const struct daemon_address *address,
                 void (*act)(struct stream *stream, enum stream_event event))
{
        *stream = (struct stream){.streams = streams, .act = act, .due_ms = UINT64_MAX};
        if (!begin(stream, address))
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
        close(stream->fd);
        octets_end(streams, &stream->unread);
        octets_end(streams, &stream->unsent);
        LIST_INSERT_HEAD(&streams->closed, stream, entry);
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

/* Gives *octets to the kernel; advances past what it took. False when the connection is broken. */
static bool send_some(int fd, struct span *octets)
{
        while (octets->length > 0) {
                ssize_t sent = send(fd, octets->at, octets->length, MSG_NOSIGNAL);
                if (sent < 0)
                        return errno == EAGAIN;
                *octets = span_skip(*octets, (size_t)sent);
        }
        return true;
}

bool stream_send(struct stream *stream, struct span octets)
{
        if (stream->is_connected && stream->unsent.length == 0 && !send_some(stream->fd, &octets))
                return false;
        return octets.length == 0 || octets_keep(stream->streams, &stream->unsent, octets);
}

/* What was kept, as far as the socket takes it. */
static bool send_kept(struct stream *stream)
{
        struct stream_octets *unsent = &stream->unsent;
        struct span octets = span_of(unsent->at, unsent->length);

        if (!send_some(stream->fd, &octets))
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
        ssize_t received = recv(stream->fd, input + before, STREAM_READ_SIZE, 0);
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
