/* The sink's loop. It waits for no one, and answers each piece that comes at once, however many commands that has. */
#include "bench/peers/sink.h"

#include "bench/common.h"
#include "core/base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS_PER_TURN 64
#define LINE_MAX_SIZE   2048
#define INPUT_SIZE      65536
#define REPLIES_SIZE    65536
#define TAIL_SIZE       4 /* enough to find the end of a text across pieces */
#define OFFERS          "250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES\r\n"

struct sink_connection {
        LIST_ENTRY(sink_connection) entry;
        int fd;
        bool is_in_text, has_quit;
        unsigned recipients;
        /* The begin of a line, or the end of the text so far. */
        size_t length;
        char kept[LINE_MAX_SIZE];
};

/* Owner: the thread. */
struct sink {
        int epoll_fd, listen_fd;
        LIST_HEAD(, sink_connection) open;
        struct text replies;
        char input[LINE_MAX_SIZE + INPUT_SIZE], reply_octets[REPLIES_SIZE];
};

static _Atomic uint64_t connections, messages;

/* ---- dialogue ------------------------------------------------------------------------------------------ */

static void take_line(struct sink *sink, struct sink_connection *connection, const char *line)
{
        const char *reply = "250 2.0.0 ok\r\n";

        switch (line[0]) {
        case 'L':
                reply = OFFERS;
                break;
        case 'M':
                connection->recipients = 0;
                break;
        case 'R':
                connection->recipients += line[1] == 'C';
                break;
        case 'D':
                reply = "354 end data with <CR><LF>.<CR><LF>\r\n";
                connection->is_in_text = true;
                break;
        case 'Q':
                reply = "221 2.0.0 bye\r\n";
                connection->has_quit = true;
                break;
        default:
                break;
        }
        text_put_string(&sink->replies, reply);
}

/* What is left of `input` then is no whole line, or holds no end of a text. */
static struct span take_octets(struct sink *sink, struct sink_connection *connection, struct span input)
{
        for (;;) {
                const char *end = connection->is_in_text ? memmem(input.at, input.length, "\r\n.\r\n", 5)
                                                         : memchr(input.at, '\n', input.length);
                if (end == NULL)
                        return input;
                if (!connection->is_in_text) {
                        take_line(sink, connection, input.at);
                        input = span_skip(input, (size_t)(end - input.at) + 1);
                        continue;
                }
                connection->is_in_text = false;
                atomic_fetch_add(&messages, 1);
                for (unsigned i = 0; i < connection->recipients; i++)
                        text_put_string(&sink->replies, "250 2.0.0 taken\r\n");
                input = span_skip(input, (size_t)(end - input.at) + 5);
        }
}

static void connection_end(struct sink_connection *connection)
{
        LIST_REMOVE(connection, entry);
        close(connection->fd);
        free(connection);
}

static void take_input(struct sink *sink, struct sink_connection *connection)
{
        memcpy(sink->input, connection->kept, connection->length);
        ssize_t received = recv(connection->fd, sink->input + connection->length, INPUT_SIZE, 0);
        if (received <= 0) {
                if (received == 0 || errno != EAGAIN)
                        connection_end(connection);
                return;
        }
        text_over(&sink->replies, sink->reply_octets, sizeof sink->reply_octets);
        struct span rest =
            take_octets(sink, connection, span_of(sink->input, connection->length + (size_t)received));
        size_t most = connection->is_in_text ? TAIL_SIZE : sizeof connection->kept;
        if (rest.length > most)
                rest = span_skip(rest, rest.length - most);
        memcpy(connection->kept, rest.at, rest.length);
        connection->length = rest.length;
        if (sink->replies.length > 0)
                send(connection->fd, sink->replies.at, sink->replies.length, MSG_NOSIGNAL);
        if (connection->has_quit)
                connection_end(connection);
}

static void accept_one(struct sink *sink)
{
        int fd = accept4(sink->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0)
                return;
        struct sink_connection *connection = calloc(1, sizeof *connection);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        expect(connection != NULL);
        connection->fd = fd;
        LIST_INSERT_HEAD(&sink->open, connection, entry);
        atomic_fetch_add(&connections, 1);
        send(fd, "220 sink\r\n", 10, MSG_NOSIGNAL);
        expect(epoll_ctl(sink->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0);
}

static void *sink_main(void *argument)
{
        struct sink *sink = argument;
        struct epoll_event events[EVENTS_PER_TURN];

        for (;;) {
                int count = epoll_wait(sink->epoll_fd, events, EVENTS_PER_TURN, -1);
                for (int i = 0; i < count; i++)
                        if (events[i].data.ptr == NULL)
                                accept_one(sink);
                        else
                                take_input(sink, events[i].data.ptr);
        }
        return NULL;
}

/* ---- life ---------------------------------------------------------------------------------------------- */

static uint16_t sink_start(void)
{
        static struct sink sink;
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t length = sizeof address;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
        pthread_t thread;

        sink.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        sink.listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (sink.epoll_fd < 0 || bind(sink.listen_fd, (struct sockaddr *)&address, length) != 0 ||
            listen(sink.listen_fd, 4096) != 0 ||
            getsockname(sink.listen_fd, (struct sockaddr *)&address, &length) != 0 ||
            epoll_ctl(sink.epoll_fd, EPOLL_CTL_ADD, sink.listen_fd, &event) != 0)
                bench_fail("the sink cannot listen: %s", strerror(errno));
        expect(pthread_create(&thread, NULL, sink_main, &sink) == 0);
        pthread_detach(thread);
        return ntohs(address.sin_port);
}

uint16_t sink_port(void)
{
        static uint16_t port;

        if (port == 0)
                port = sink_start();
        return port;
}

struct sink_counts sink_count(void)
{
        return (struct sink_counts){atomic_load(&connections), atomic_load(&messages)};
}
