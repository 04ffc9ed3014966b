/* The floor server: the same dialogue with canned replies on epoll, and nothing else. What no server on this
 * machine can beat by much. It takes one hint: "+NNN" in a recipient is the code to answer. With --durable
 * DIR it writes and syncs one file a message before its 250, with --certificates DIR it speaks STARTTLS. */
#include "bench/peers/floor.h"

#include "bench/common.h"
#include "bench/tls/context.h"
#include "bench/tls/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define EVENTS_PER_TURN 256
#define ACCEPTS_A_TURN  16
#define LINE_MAX_SIZE   512
#define INPUT_SIZE      65536
#define DURABLE_THREADS 16 /* they block in fsync */
#define FOR_CONNECTIONS 60000
#define DESCRIPTORS_MAX 65536
#define EXTENSIONS      "250-mx1.isp.example\r\n250-SIZE 52428800\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
/* So much of the text seen so far is kept, enough to find its end across pieces. */
#define TAIL_SIZE 4

struct floor_connection {
        /* How often it was closed: who has this descriptor next sees all that the thread before wrote. The kernel
         * orders that too, but no sanitizer can see it. */
        _Atomic unsigned closings;
        int fd;
        int file; /* -1: none */
        bool is_in_text;
        unsigned length;
        SSL *ssl; /* NULL: plain */
        struct wire *wire;
        /* The begin of a line, or the end of the text so far. */
        char kept[LINE_MAX_SIZE];
};

struct floor_thread {
        pthread_t thread;
        int epoll_fd, listen_fd;
        unsigned number, message;
        const char *durable;
        struct wire *wire;
        char input[LINE_MAX_SIZE + INPUT_SIZE];
};

/* They are found by descriptor; each belongs to one thread while it is open. */
static struct floor_connection *connections;
static SSL_CTX *context; /* NULL: no TLS */

/* ---- replies ------------------------------------------------------------------------------------------- */

static void reply(const struct floor_connection *connection, const char *text, size_t length)
{
        if (connection->ssl == NULL)
                send(connection->fd, text, length, MSG_NOSIGNAL);
        else
                SSL_write(connection->ssl, text, (int)length);
}

#define REPLY(connection, text) reply((connection), (text), sizeof(text) - 1)

static void wire_flush(const struct floor_connection *connection)
{
        struct wire *wire = connection->wire;

        if (wire->output_length > 0)
                send(connection->fd, wire->output, wire->output_length, MSG_NOSIGNAL);
        wire->output_length = 0;
}

static void secure_begin(struct floor_connection *connection)
{
        connection->ssl = SSL_new(context);
        expect(connection->ssl != NULL);
        wire_attach(connection->wire, connection->ssl);
        SSL_set_accept_state(connection->ssl);
}

/* Says close_notify, as gatepost does. */
static void secure_end(struct floor_connection *connection)
{
        if (SSL_is_init_finished(connection->ssl))
                SSL_shutdown(connection->ssl);
        wire_flush(connection);
        connection->wire->input_length = 0;
        SSL_free(connection->ssl);
        connection->ssl = NULL;
}

static void connection_close(struct floor_connection *connection)
{
        if (connection->ssl != NULL)
                secure_end(connection);
        if (connection->file >= 0)
                close(connection->file);
        int fd = connection->fd;
        atomic_fetch_add(&connection->closings, 1);
        close(fd);
}

static void reply_recipient(const struct floor_connection *connection, const char *line, size_t length)
{
        char refusal[] = "550 5.7.1 recipient refused, and here is a text that says why [000000000000]\r\n";
        const char *hint = memchr(line, '+', length);

        if (hint == NULL || (size_t)(hint - line) + 4 > length) {
                REPLY(connection, "250 2.1.5 recipient ok\r\n");
                return;
        }
        memcpy(refusal, hint + 1, 3);
        reply(connection, refusal, sizeof refusal - 1);
}

/* Answers one line. False when the connection has been closed. */
static bool take_line(struct floor_connection *connection, const char *line, size_t length)
{
        switch (line[0]) {
        case 'E':
                if (context == NULL || connection->ssl != NULL)
                        REPLY(connection, EXTENSIONS "250 ENHANCEDSTATUSCODES\r\n");
                else
                        REPLY(connection, EXTENSIONS "250-ENHANCEDSTATUSCODES\r\n250 STARTTLS\r\n");
                return true;
        case 'S':
                if (context == NULL) {
                        REPLY(connection, "454 4.7.0 no certificates\r\n");
                        return true;
                }
                REPLY(connection, "220 2.0.0 ready to start TLS\r\n");
                secure_begin(connection);
                return true;
        case 'N':
                REPLY(connection, "250 2.0.0 ok\r\n");
                return true;
        case 'M':
                REPLY(connection, "250 2.1.0 sender ok\r\n");
                return true;
        case 'R':
                reply_recipient(connection, line, length);
                return true;
        case 'D':
                REPLY(connection, "354 end data with <CR><LF>.<CR><LF>\r\n");
                connection->is_in_text = true;
                return true;
        case 'Q':
                REPLY(connection, "221 2.0.0 mx1.isp.example closing connection\r\n");
                break;
        default:
                REPLY(connection, "500 5.5.2 command not recognized\r\n");
                return true;
        }
        connection_close(connection);
        return false;
}

/* ---- text ---------------------------------------------------------------------------------------------- */

static bool text_store(struct floor_thread *thread, struct floor_connection *connection, const char *octets,
                       size_t length)
{
        char path[512];

        if (thread->durable == NULL)
                return true;
        if (connection->file < 0) {
                snprintf(path, sizeof path, "%s/%u.%u", thread->durable, thread->number, thread->message++);
                connection->file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        }
        return connection->file >= 0 && write(connection->file, octets, length) == (ssize_t)length;
}

static bool text_sync(struct floor_connection *connection)
{
        if (connection->file < 0)
                return true;
        bool is_synced = fsync(connection->file) == 0;
        close(connection->file);
        connection->file = -1;
        return is_synced;
}

/* `input` holds the kept tail, then what is new. */
static void take_text(struct floor_thread *thread, struct floor_connection *connection, const char *input,
                      size_t length)
{
        const char *end = memmem(input, length, "\r\n.\r\n", 5);
        unsigned kept = connection->length;
        bool is_stored = text_store(thread, connection, input + kept, length - kept);

        connection->length = length < TAIL_SIZE ? (unsigned)length : TAIL_SIZE;
        memcpy(connection->kept, input + length - connection->length, connection->length);
        if (end == NULL)
                return;
        connection->is_in_text = false;
        connection->length = 0;
        if (is_stored && text_sync(connection))
                REPLY(connection, "250 2.0.0 accepted as 000000000000000\r\n");
        else
                REPLY(connection, "451 4.3.1 cannot store the message, try again later\r\n");
}

/* ---- connections --------------------------------------------------------------------------------------- */

/* Takes one line, or a part of one. False when the connection has been closed. */
static bool take_command(struct floor_connection *connection, const char *input, size_t length)
{
        const char *newline = memchr(input, '\n', length);

        connection->length = 0;
        if (newline != NULL && newline == input + length - 1)
                return take_line(connection, input, length);
        if (newline == NULL && length < LINE_MAX_SIZE) {
                memcpy(connection->kept, input, length);
                connection->length = (unsigned)length;
                return true;
        }
        REPLY(connection, "554 5.5.0 you must wait for our replies [000000000000]\r\n");
        connection_close(connection);
        return false;
}

/* Takes what is in the thread's input: what was kept, and `received` octets more. False when the connection has been
 * closed. */
static bool take_octets(struct floor_thread *thread, struct floor_connection *connection, size_t received)
{
        size_t length = connection->length + received;

        if (!connection->is_in_text)
                return take_command(connection, thread->input, length);
        take_text(thread, connection, thread->input, length);
        return true;
}

/* True when what was received has been read, and the connection is open. */
static bool open_records(struct floor_thread *thread, struct floor_connection *connection)
{
        ERR_clear_error();
        for (;;) {
                memcpy(thread->input, connection->kept, connection->length);
                int opened = SSL_read(connection->ssl, thread->input + connection->length, INPUT_SIZE);
                if (opened > 0 && !take_octets(thread, connection, (size_t)opened))
                        return false;
                if (opened > 0)
                        continue;
                if (SSL_get_error(connection->ssl, opened) == SSL_ERROR_WANT_READ)
                        return true;
                connection_close(connection);
                return false;
        }
}

/* Reads once; true when there may be more to read. */
static bool take_input(struct floor_thread *thread, struct floor_connection *connection, bool is_hung_up)
{
        bool is_secure = connection->ssl != NULL;
        size_t room = is_secure ? WIRE_INPUT_SIZE : INPUT_SIZE;
        ssize_t received = is_secure
                               ? wire_receive(thread->wire, connection->fd)
                               : recv(connection->fd, thread->input + connection->length, INPUT_SIZE, 0);

        if (received <= 0) {
                if (received == 0 || errno != EAGAIN)
                        connection_close(connection);
                return false;
        }
        if (is_secure) {
                if (!open_records(thread, connection))
                        return false;
                wire_flush(connection);
        } else {
                memcpy(thread->input, connection->kept, connection->length);
                if (!take_octets(thread, connection, (size_t)received))
                        return false;
        }
        return (size_t)received == room || is_hung_up;
}

static void accept_some(struct floor_thread *thread)
{
        for (int i = 0; i < ACCEPTS_A_TURN; i++) {
                int fd = accept4(thread->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (fd < 0)
                        return;
                expect(fd < DESCRIPTORS_MAX);
                struct floor_connection *connection = &connections[fd];
                struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = connection};
                (void)atomic_load(&connection->closings);
                connection->fd = fd;
                connection->file = -1;
                connection->length = 0;
                connection->is_in_text = false;
                connection->ssl = NULL;
                connection->wire = thread->wire;
                REPLY(connection, "220 mx1.isp.example ESMTP floor\r\n");
                if (epoll_ctl(thread->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
                        connection_close(connection);
        }
}

static void *floor_main(void *argument)
{
        struct floor_thread *thread = argument;
        struct epoll_event events[EVENTS_PER_TURN];

        for (;;) {
                int count = epoll_wait(thread->epoll_fd, events, EVENTS_PER_TURN, -1);
                for (int i = 0; i < count; i++) {
                        bool is_hung_up = (events[i].events & ~(uint32_t)EPOLLIN) != 0;
                        if (events[i].data.ptr == NULL)
                                accept_some(thread);
                        else
                                while (take_input(thread, events[i].data.ptr, is_hung_up))
                                        ;
                }
        }
        return NULL;
}

/* ---- life ---------------------------------------------------------------------------------------------- */

/* Each thread listens for itself, so that the kernel deals connections out. */
static int listen_on(struct sockaddr_in address)
{
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;

        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
        if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 4096) != 0)
                bench_fail("cannot listen: %s", strerror(errno));
        return fd;
}

static void thread_start(struct floor_thread *thread)
{
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};

        thread->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        expect(thread->epoll_fd >= 0 &&
               epoll_ctl(thread->epoll_fd, EPOLL_CTL_ADD, thread->listen_fd, &event) == 0);
        expect(pthread_create(&thread->thread, NULL, floor_main, thread) == 0);
}

int floor_command(const struct bench_options *options, int argument_count, char **arguments)
{
        (void)argument_count, (void)arguments;
        unsigned count = options->threads != 0      ? options->threads
                         : options->durable != NULL ? DURABLE_THREADS
                                                    : (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
        struct floor_thread *threads = calloc(count, sizeof *threads);

        expect(threads != NULL);
        if (options->server.sin_port == 0)
                bench_fail("floor needs --port");
        if (options->durable != NULL && mkdir(options->durable, 0700) != 0 && errno != EEXIST)
                bench_fail("cannot make %s", options->durable);
        if (options->certificates != NULL)
                context = tls_server_context(options->certificates);
        bench_raise_descriptors(FOR_CONNECTIONS);
        connections = calloc(DESCRIPTORS_MAX, sizeof *connections);
        expect(connections != NULL);
        for (unsigned i = 0; i < count; i++) {
                threads[i].listen_fd = listen_on(options->server);
                threads[i].number = i;
                threads[i].durable = options->durable;
                threads[i].wire = wire_new();
        }
        for (unsigned i = 0; i < count; i++)
                thread_start(&threads[i]);
        for (unsigned i = 0; i < count; i++) {
                pthread_join(threads[i].thread, NULL);
                free(threads[i].wire);
        }
        SSL_CTX_free(context);
        free(connections);
        free(threads);
        return 0;
}
