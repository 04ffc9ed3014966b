/* Listening sockets from bind() to close(). */
#include "workers/inbound/accept/listener.h"

#include "conf/socket_address.h"
#include "conf/value/list.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#define BACKLOG 4096 /* the kernel cuts it to net.core.somaxconn */

static bool set_on(int fd, int level, int option)
{
        int on = 1;
        return setsockopt(fd, level, option, &on, sizeof on) == 0;
}

/* Accepted sockets inherit TCP_NODELAY, which saves a call for each. The first socket is bound while it does
 * not share its port: so an endpoint that another process has is refused, be that willing to share or not. */
static bool set_up(int fd, const struct sockaddr_storage *address, socklen_t length, bool is_shared,
                   bool is_first)
{
        return set_on(fd, SOL_SOCKET, SO_REUSEADDR) && set_on(fd, IPPROTO_TCP, TCP_NODELAY) &&
               (address->ss_family != AF_INET6 || set_on(fd, IPPROTO_IPV6, IPV6_V6ONLY)) &&
               (is_first || set_on(fd, SOL_SOCKET, SO_REUSEPORT)) &&
               bind(fd, (const struct sockaddr *)address, length) == 0 &&
               (!is_shared || !is_first || set_on(fd, SOL_SOCKET, SO_REUSEPORT));
}

static uint16_t bound_port(int fd, uint16_t fallback)
{
        struct sockaddr_storage storage;
        socklen_t length = sizeof storage;
        struct address address;
        uint16_t port = fallback;

        if (getsockname(fd, (struct sockaddr *)&storage, &length) == 0)
                address_from_socket((const struct sockaddr *)&storage, &address, &port);
        return port;
}

static void init(struct listener *listener, const struct endpoint *endpoint, bool needs_proxy_header,
                 uint32_t number, int fd)
{
        *listener =
            (struct listener){.endpoint = *endpoint, .number = number, .port = endpoint->port, .fd = fd};
        atomic_init(&listener->needs_proxy_header, needs_proxy_header);
        atomic_init(&listener->users, 0);
        atomic_init(&listener->is_handed_back, false);
        atomic_init(&listener->is_closed, false);
        atomic_init(&listener->departed_ms, 0);
}

/* `port`: the endpoint's, or, where that leaves it open, the first socket's. */
static struct listener *listener_bind(const struct endpoint *endpoint, uint16_t port, bool needs_proxy_header,
                                      uint32_t number, uint32_t count)
{
        struct sockaddr_storage storage;
        socklen_t length = address_to_socket(&endpoint->address, port, &storage);
        struct listener *listener = malloc(sizeof *listener);

        if (listener == NULL)
                return NULL;
        int fd = socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0 || !set_up(fd, &storage, length, count > 1, number == 0)) {
                int error = errno;
                if (fd >= 0)
                        close(fd);
                free(listener);
                errno = error;
                return NULL;
        }
        init(listener, endpoint, needs_proxy_header, number, fd);
        listener->port = bound_port(fd, port);
        return listener;
}

struct listener *listener_adopt(const struct endpoint *endpoint, bool needs_proxy_header, uint32_t number,
                                int fd, bool is_inherited)
{
        struct listener *listener = malloc(sizeof *listener);

        if (listener == NULL) {
                close(fd);
                return NULL;
        }
        init(listener, endpoint, needs_proxy_header, number, fd);
        listener->port = bound_port(fd, endpoint->port);
        listener->is_adopted = true;
        listener->is_inherited = is_inherited;
        return listener;
}

struct listener *listeners_bind(const struct endpoint *endpoint, bool needs_proxy_header, uint32_t count)
{
        struct listener *first = NULL, **end = &first;
        uint16_t port = endpoint->port;

        for (uint32_t i = 0; i < count; i++) {
                struct listener *listener = listener_bind(endpoint, port, needs_proxy_header, i, count);
                if (listener == NULL) {
                        int error = errno;
                        listeners_free(first);
                        errno = error;
                        return NULL;
                }
                port = listener->port;
                *end = listener;
                end = &listener->next;
        }
        return first;
}

void listeners_free(struct listener *first)
{
        while (first != NULL) {
                struct listener *next = first->next;
                if (!atomic_load_explicit(&first->is_closed, memory_order_acquire))
                        close(first->fd);
                free(first);
                first = next;
        }
}

/* ---- who may come -------------------------------------------------------------------------------------- */

/* Where the kernel does not do this, some may come a moment too late, and get a reset. */
void listening_socket_ignore_new(int fd)
{
        /* Of the flags in the TCP header (RFC 9293, section 3.1) SYN is set, and ACK is not. */
        struct sock_filter steps[] = {
            BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),       BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x12),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 2, 0, 1), BPF_STMT(BPF_RET | BPF_K, 0),
            BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
        };
        struct sock_fprog program = {.len = sizeof steps / sizeof steps[0], .filter = steps};

        setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

void listening_socket_heed_new(int fd)
{
        int ignored = 0;
        setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &ignored, sizeof ignored);
}

/* The flag belongs to the socket, which another process may have used until now. */
static bool set_nonblocking(int fd)
{
        int flags = fcntl(fd, F_GETFL);
        return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

/* Where one of several fails, nobody has connected to the others. */
const struct listener *listeners_listen(struct listener *first)
{
        for (struct listener *listener = first; listener != NULL; listener = listener->next) {
                if (!listener->is_adopted)
                        listening_socket_ignore_new(listener->fd);
                if (!set_nonblocking(listener->fd) || listen(listener->fd, BACKLOG) != 0)
                        return listener;
        }
        for (struct listener *listener = first; listener != NULL; listener = listener->next)
                listening_socket_heed_new(listener->fd);
        return NULL;
}

void listener_set_users(struct listener *listener, uint32_t users)
{
        atomic_store(&listener->users, users);
}

/* ---- departure ----------------------------------------------------------------------------------------- */

void listener_depart(struct listener *listener, uint64_t now_ms)
{
        listening_socket_ignore_new(listener->fd);
        atomic_store_explicit(&listener->departed_ms, now_ms, memory_order_release);
}

void listener_hand_back(struct listener *listener)
{
        atomic_store_explicit(&listener->is_handed_back, true, memory_order_relaxed);
        atomic_store_explicit(&listener->departed_ms, 1, memory_order_release);
}

enum departure listener_departure(const struct listener *listener, uint64_t now_ms)
{
        uint64_t departed_ms = atomic_load_explicit(&listener->departed_ms, memory_order_acquire);
        /* The user's clock may be older. */
        uint64_t age_ms = now_ms > departed_ms ? now_ms - departed_ms : 0;

        if (atomic_load_explicit(&listener->is_handed_back, memory_order_relaxed))
                return DEPARTURE_HANDED_BACK;
        return age_ms < DEPARTURE_MS        ? DEPARTURE_YOUNG
               : age_ms < DEPARTURE_LATE_MS ? DEPARTURE_RIPE
               : age_ms < DEPARTURE_MAX_MS  ? DEPARTURE_LATE
                                            : DEPARTURE_OVER;
}

/* Of a listening socket the kernel gives the length of the queue in this place. */
static uint32_t queue_length(int fd)
{
        struct tcp_info info = {0};
        socklen_t length = sizeof info;

        return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 ? info.tcpi_unacked : 0;
}

uint32_t listener_leave(struct listener *listener)
{
        if (atomic_fetch_sub(&listener->users, 1) != 1)
                return 0;
        uint32_t left = atomic_load(&listener->is_handed_back) ? 0 : queue_length(listener->fd);
        close(listener->fd);
        atomic_store_explicit(&listener->is_closed, true, memory_order_release);
        return left;
}
