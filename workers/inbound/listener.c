/* Opening and sharing of listening sockets. */
#include "workers/inbound/listener.h"

#include "conf/socket_address.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#define BACKLOG 4096 /* the kernel cuts it to net.core.somaxconn */

/* Accepted sockets inherit TCP_NODELAY, which saves a call for each. */
static bool set_up(int fd, const struct sockaddr_storage *address, socklen_t length)
{
        int on = 1;

        return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
               setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
               (address->ss_family != AF_INET6 ||
                setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0) &&
               bind(fd, (const struct sockaddr *)address, length) == 0 && listen(fd, BACKLOG) == 0;
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

struct listener *listener_open(const struct endpoint *endpoint, bool needs_proxy_header)
{
        struct sockaddr_storage storage;
        socklen_t length = address_to_socket(&endpoint->address, endpoint->port, &storage);
        struct listener *listener = malloc(sizeof *listener);

        if (listener == NULL)
                return NULL;
        int fd = socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0 || !set_up(fd, &storage, length)) {
                int error = errno;
                if (fd >= 0)
                        close(fd);
                free(listener);
                errno = error;
                return NULL;
        }
        *listener =
            (struct listener){.endpoint = *endpoint, .port = bound_port(fd, endpoint->port), .fd = fd};
        atomic_init(&listener->needs_proxy_header, needs_proxy_header);
        atomic_init(&listener->references, 1);
        return listener;
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
