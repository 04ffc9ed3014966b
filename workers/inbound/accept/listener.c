/* Opening and sharing of listening sockets. */
#include "workers/inbound/accept/listener.h"

#include "conf/socket_address.h"

#include <errno.h>
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
               (!is_shared || !is_first || set_on(fd, SOL_SOCKET, SO_REUSEPORT)) && listen(fd, BACKLOG) == 0;
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

/* `port`: the endpoint's, or, where that leaves it open, the first socket's. */
static struct listener *listener_open(const struct endpoint *endpoint, uint16_t port, bool needs_proxy_header,
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
        *listener = (struct listener){
            .endpoint = *endpoint, .number = number, .port = bound_port(fd, port), .fd = fd};
        atomic_init(&listener->needs_proxy_header, needs_proxy_header);
        atomic_init(&listener->references, 1);
        return listener;
}

struct listener *listeners_open(const struct endpoint *endpoint, bool needs_proxy_header, uint32_t count)
{
        struct listener *first = NULL, **end = &first;
        uint16_t port = endpoint->port;

        for (uint32_t i = 0; i < count; i++) {
                struct listener *listener = listener_open(endpoint, port, needs_proxy_header, i, count);
                if (listener == NULL) {
                        int error = errno;
                        listeners_leave(first);
                        errno = error;
                        return NULL;
                }
                port = listener->port;
                *end = listener;
                end = &listener->next;
        }
        return first;
}

void listeners_leave(struct listener *first)
{
        while (first != NULL) {
                struct listener *next = first->next;
                listener_leave(first);
                first = next;
        }
}

void listener_refer(struct listener *listener)
{
        atomic_fetch_add(&listener->references, 1);
}

void listener_leave(struct listener *listener)
{
        if (atomic_fetch_sub(&listener->references, 1) != 1)
                return;
        close(listener->fd);
        free(listener);
}

void endpoint_write(const struct address *address, uint16_t port, char ret_text[static ENDPOINT_TEXT_MAX])
{
        struct text text;

        text_over(&text, ret_text, ENDPOINT_TEXT_MAX);
        if (!address_is_ipv4(address))
                text_put_char(&text, '[');
        address_write(&text, address);
        if (!address_is_ipv4(address))
                text_put_char(&text, ']');
        text_put_char(&text, ':');
        text_put_number(&text, port);
        text_put_char(&text, '\0');
}
