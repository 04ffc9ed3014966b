/* The stub server's sockets: datagrams in batches, late answers in a queue, TCP connections one query after
 * another. */
#include "dns/stub/stub.h"

#include "conf/socket_address.h"
#include "core/base/address.h"
#include "core/base/expect.h"
#include "dns/clock.h"
#include "dns/pool/loop.h"
#include "dns/stub/answer.h"
#include "dns/stub/zone.h"

#include <errno.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BATCH         64
#define PACKET_OCTETS 4096
#define ANSWER_OCTETS 65535
#define CONNECTIONS   64
#define BIND_TRIES    20 /* the port that UDP was given may be taken for TCP */
#define LATE_MAX      100000

/* An answer that waits for its time; the packet follows. */
struct late {
        struct late *earlier, *later;
        uint64_t due_us;
        struct sockaddr_storage peer;
        socklen_t peer_length;
        size_t length;
};

struct tcp_connection {
        int fd; /* -1: free */
        size_t length;
        char buffer[PACKET_OCTETS + 2];
};

struct dns_stub {
        struct stub_zone zone;
        uint32_t latency_ms, loss_percent;
        int epoll_fd, stop_fd, udp_fd, tcp_fd;
        uint16_t port;
        pthread_t thread;
        _Atomic bool is_silent, is_stopping;
        _Atomic uint64_t udp, tcp, lost;
        /* The thread's own. */
        uint32_t random;
        uint32_t late_count;
        struct late late; /* of a ring: the soonest is late.later */
        struct tcp_connection connections[CONNECTIONS];
        struct mmsghdr messages[BATCH];
        struct iovec vectors[BATCH];
        struct sockaddr_storage peers[BATCH];
        char packets[BATCH][PACKET_OCTETS];
        struct mmsghdr replies[BATCH];
        struct iovec reply_vectors[BATCH];
        char reply_packets[BATCH][PACKET_OCTETS];
        char answer[ANSWER_OCTETS + 2];
};

static void counter_add(_Atomic uint64_t *counter)
{
        atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static bool is_lost(struct dns_stub *stub, const struct stub_name *name)
{
        stub->random = stub->random * 1664525u + 1013904223u;
        uint32_t dice = (stub->random >> 16) % 100;
        bool is_lost = atomic_load_explicit(&stub->is_silent, memory_order_relaxed) ||
                       dice < stub->loss_percent ||
                       (name != NULL && (name->is_silent || dice < name->loss_percent));
        if (is_lost)
                counter_add(&stub->lost);
        return is_lost;
}

/* ---- UDP ----------------------------------------------------------------------------------------------- */

static void late_add(struct dns_stub *stub, uint32_t latency_ms, const struct msghdr *from,
                     const char *packet, size_t length)
{
        struct late *late = stub->late_count >= LATE_MAX ? NULL : malloc(sizeof *late + length);
        if (late == NULL)
                return;
        late->due_us = clock_monotonic_us() + latency_ms * UINT64_C(1000);
        late->peer_length = from->msg_namelen;
        memcpy(&late->peer, from->msg_name, from->msg_namelen);
        late->length = length;
        memcpy(late + 1, packet, length);
        struct late *before = stub->late.earlier;
        while (before != &stub->late && before->due_us > late->due_us)
                before = before->earlier;
        late->earlier = before;
        late->later = before->later;
        before->later->earlier = late;
        before->later = late;
        stub->late_count++;
}

static struct late *late_take(struct dns_stub *stub)
{
        struct late *late = stub->late.later;
        stub->late.later = late->later;
        late->later->earlier = &stub->late;
        stub->late_count--;
        return late;
}

static void late_send(struct dns_stub *stub)
{
        uint64_t now = clock_monotonic_us();

        while (stub->late.later != &stub->late && stub->late.later->due_us <= now) {
                struct late *late = late_take(stub);
                sendto(stub->udp_fd, late + 1, late->length, 0, (struct sockaddr *)&late->peer,
                       late->peer_length);
                free(late);
        }
}

/* True when an answer for message `i` is in reply `at`, to be sent now. */
static bool udp_answer(struct dns_stub *stub, int i, int at)
{
        const struct stub_name *name;
        struct msghdr *from = &stub->messages[i].msg_hdr;
        char *packet = stub->reply_packets[at];

        counter_add(&stub->udp);
        size_t length = stub_answer(&stub->zone, stub->packets[i], stub->messages[i].msg_len, false, packet,
                                    PACKET_OCTETS, &name);
        if (length == 0 || is_lost(stub, name))
                return false;
        uint32_t latency_ms = stub->latency_ms + (name == NULL ? 0 : name->latency_ms);
        if (latency_ms > 0) {
                late_add(stub, latency_ms, from, packet, length);
                return false;
        }
        stub->reply_vectors[at] = (struct iovec){packet, length};
        stub->replies[at].msg_hdr = (struct msghdr){.msg_name = from->msg_name,
                                                    .msg_namelen = from->msg_namelen,
                                                    .msg_iov = &stub->reply_vectors[at],
                                                    .msg_iovlen = 1};
        return true;
}

static void udp_turn(struct dns_stub *stub)
{
        int replies = 0;

        for (int i = 0; i < BATCH; i++) {
                stub->vectors[i] = (struct iovec){stub->packets[i], PACKET_OCTETS};
                stub->messages[i].msg_hdr = (struct msghdr){.msg_name = &stub->peers[i],
                                                            .msg_namelen = sizeof stub->peers[i],
                                                            .msg_iov = &stub->vectors[i],
                                                            .msg_iovlen = 1};
        }
        int count = recvmmsg(stub->udp_fd, stub->messages, BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < count; i++)
                if (udp_answer(stub, i, replies))
                        replies++;
        for (int sent = 0; sent < replies;) {
                int more = sendmmsg(stub->udp_fd, stub->replies + sent, (unsigned)(replies - sent), 0);
                sent += more > 0 ? more : 1; /* one that cannot be sent is lost */
        }
}

/* ---- TCP ----------------------------------------------------------------------------------------------- */

static void connection_close(struct tcp_connection *connection)
{
        close(connection->fd);
        connection->fd = -1;
}

static void tcp_accept(struct dns_stub *stub)
{
        int fd = accept4(stub->tcp_fd, NULL, NULL, SOCK_CLOEXEC);
        for (int i = 0; fd >= 0 && i < CONNECTIONS; i++) {
                struct tcp_connection *connection = &stub->connections[i];
                struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = connection};
                if (connection->fd >= 0)
                        continue;
                connection->fd = fd;
                connection->length = 0;
                if (epoll_ctl(stub->epoll_fd, EPOLL_CTL_ADD, fd, &wanted) < 0)
                        connection_close(connection);
                return;
        }
        if (fd >= 0)
                close(fd);
}

/* Blocks while the peer does not read: it is one of ours. */
static bool tcp_answer(struct dns_stub *stub, struct tcp_connection *connection, const char *packet,
                       size_t length)
{
        const struct stub_name *name;

        counter_add(&stub->tcp);
        size_t octets =
            stub_answer(&stub->zone, packet, length, true, stub->answer + 2, ANSWER_OCTETS, &name);
        if (octets == 0 || atomic_load_explicit(&stub->is_silent, memory_order_relaxed) ||
            (name != NULL && name->is_silent))
                return octets > 0;
        stub->answer[0] = (char)(octets >> 8);
        stub->answer[1] = (char)octets;
        for (size_t sent = 0; sent < octets + 2;) {
                ssize_t more = send(connection->fd, stub->answer + sent, octets + 2 - sent, MSG_NOSIGNAL);
                if (more <= 0)
                        return false;
                sent += (size_t)more;
        }
        return true;
}

static void tcp_turn(struct dns_stub *stub, struct tcp_connection *connection)
{
        ssize_t more = recv(connection->fd, connection->buffer + connection->length,
                            sizeof connection->buffer - connection->length, MSG_DONTWAIT);
        if (more < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        connection->length += more > 0 ? (size_t)more : 0;
        bool is_good = more > 0;
        while (is_good && connection->length >= 2) {
                const unsigned char *prefix = (unsigned char *)connection->buffer;
                size_t length = (size_t)prefix[0] << 8 | prefix[1];
                if (length + 2 > sizeof connection->buffer)
                        is_good = false;
                if (!is_good || connection->length < length + 2)
                        break;
                is_good = tcp_answer(stub, connection, connection->buffer + 2, length);
                connection->length -= length + 2;
                memmove(connection->buffer, connection->buffer + length + 2, connection->length);
        }
        if (!is_good)
                connection_close(connection);
}

/* ---- thread -------------------------------------------------------------------------------------------- */

/* Exact, because benchmarks compare with the latency. NULL: no end. */
static const struct timespec *stub_wait(const struct dns_stub *stub, struct timespec *wait)
{
        uint64_t now = clock_monotonic_us();
        if (stub->late.later == &stub->late)
                return NULL;
        uint64_t left_us = stub->late.later->due_us > now ? stub->late.later->due_us - now : 0;
        *wait = (struct timespec){(time_t)(left_us / 1000000), (long)(left_us % 1000000) * 1000};
        return wait;
}

static void *stub_run(void *argument)
{
        struct dns_stub *stub = argument;
        struct epoll_event events[16];
        struct timespec wait;

        while (!atomic_load(&stub->is_stopping)) {
                int count = epoll_pwait2(stub->epoll_fd, events, 16, stub_wait(stub, &wait), NULL);
                for (int i = 0; i < count; i++) {
                        if (events[i].data.ptr == &stub->udp_fd)
                                udp_turn(stub);
                        else if (events[i].data.ptr == &stub->tcp_fd)
                                tcp_accept(stub);
                        else if (events[i].data.ptr != &stub->stop_fd)
                                tcp_turn(stub, events[i].data.ptr);
                }
                late_send(stub);
        }
        return NULL;
}

/* ---- life ---------------------------------------------------------------------------------------------- */

/* A socket bound to `address`, whose port is filled in; -1 with errno. */
static int socket_bound(struct sockaddr_storage *address, socklen_t *length, int type)
{
        int fd = socket(address->ss_family, type | SOCK_CLOEXEC, 0), one = 1, room = 4 << 20;
        if (fd < 0)
                return -1;
        if (type == SOCK_STREAM)
                setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        else
                setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
        if (bind(fd, (struct sockaddr *)address, *length) == 0 &&
            (type == SOCK_DGRAM || listen(fd, 64) == 0) &&
            getsockname(fd, (struct sockaddr *)address, length) == 0)
                return fd;
        int error = errno;
        close(fd);
        errno = error;
        return -1;
}

static bool sockets_open(struct dns_stub *stub, const struct dns_stub_options *options)
{
        struct address ignored;

        for (int i = 0; i < BIND_TRIES && stub->tcp_fd < 0; i++) {
                struct sockaddr_storage address = options->listen;
                socklen_t length = options->listen_length;
                if (stub->udp_fd >= 0)
                        close(stub->udp_fd);
                stub->udp_fd = socket_bound(&address, &length, SOCK_DGRAM);
                if (stub->udp_fd < 0)
                        return false;
                stub->tcp_fd = socket_bound(&address, &length, SOCK_STREAM);
                address_from_socket((struct sockaddr *)&address, &ignored, &stub->port);
        }
        return stub->tcp_fd >= 0;
}

static bool watch(const struct dns_stub *stub, int *fd)
{
        struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = fd};
        return epoll_ctl(stub->epoll_fd, EPOLL_CTL_ADD, *fd, &wanted) == 0;
}

static bool stub_open(struct dns_stub *stub, const struct dns_stub_options *options, struct text *ret_error)
{
        if (!stub_zone_load(&stub->zone, options->zone, ret_error))
                return false;
        if (sockets_open(stub, options)) {
                stub->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
                stub->stop_fd = eventfd(0, EFD_CLOEXEC);
                if (watch(stub, &stub->udp_fd) && watch(stub, &stub->tcp_fd) && watch(stub, &stub->stop_fd))
                        return true;
        }
        text_printf(ret_error, "%s", strerror(errno));
        return false;
}

static void stub_free(struct dns_stub *stub)
{
        int fds[] = {stub->epoll_fd, stub->stop_fd, stub->udp_fd, stub->tcp_fd};

        for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
                if (fds[i] >= 0)
                        close(fds[i]);
        for (int i = 0; i < CONNECTIONS; i++)
                if (stub->connections[i].fd >= 0)
                        close(stub->connections[i].fd);
        while (stub->late.later != &stub->late)
                free(late_take(stub));
        stub_zone_end(&stub->zone);
        free(stub);
}

struct dns_stub *dns_stub_start(const struct dns_stub_options *options, struct text *ret_error)
{
        struct dns_stub *stub = calloc(1, sizeof *stub);
        if (stub == NULL)
                return NULL;
        stub->latency_ms = options->latency_ms;
        stub->loss_percent = options->loss_percent;
        stub->epoll_fd = stub->stop_fd = stub->udp_fd = stub->tcp_fd = -1;
        stub->late.earlier = stub->late.later = &stub->late;
        for (int i = 0; i < CONNECTIONS; i++)
                stub->connections[i].fd = -1;
        if (stub_open(stub, options, ret_error) && pthread_create(&stub->thread, NULL, stub_run, stub) == 0)
                return stub;
        stub_free(stub);
        return NULL;
}

void dns_stub_stop(struct dns_stub *stub)
{
        uint64_t one = 1;

        atomic_store(&stub->is_stopping, true);
        expect(write(stub->stop_fd, &one, sizeof one) == sizeof one);
        pthread_join(stub->thread, NULL);
        stub_free(stub);
}

uint16_t dns_stub_port(const struct dns_stub *stub)
{
        return stub->port;
}

void dns_stub_set_silent(struct dns_stub *stub, bool is_silent)
{
        atomic_store_explicit(&stub->is_silent, is_silent, memory_order_relaxed);
}

void dns_stub_count(const struct dns_stub *stub, struct dns_stub_counts *ret_counts)
{
        *ret_counts = (struct dns_stub_counts){
            .udp = atomic_load_explicit(&stub->udp, memory_order_relaxed),
            .tcp = atomic_load_explicit(&stub->tcp, memory_order_relaxed),
            .lost = atomic_load_explicit(&stub->lost, memory_order_relaxed),
        };
}
