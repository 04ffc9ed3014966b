/* Listening sockets that share an endpoint, and those that must not. */
#include "workers/inbound/accept/listener.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static struct endpoint loopback(uint16_t port)
{
        return (struct endpoint){.address = {.octets = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1}},
                                 .port = port};
}

static int connect_to(uint16_t port)
{
        struct sockaddr_in address = {
            .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        cr_assert(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
        return fd;
}

static unsigned accept_all(const struct listener *listener)
{
        unsigned count = 0;

        for (int fd; (fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0; count++)
                close(fd);
        cr_expect_eq(errno, EAGAIN);
        return count;
}

Test(listener, several_sockets_share_an_endpoint_and_its_connections)
{
        struct endpoint endpoint = loopback(0);
        struct listener *listeners = listeners_open(&endpoint, false, 3);
        unsigned counts[3] = {0}, all = 0;
        int fds[60];

        cr_assert_not_null(listeners);
        for (int i = 0; i < 60; i++)
                fds[i] = connect_to(listeners->port);
        for (const struct listener *at = listeners; at != NULL; at = at->next) {
                cr_expect_eq(at->port, listeners->port);
                all += counts[at->number] = accept_all(at);
        }
        cr_expect_eq(all, 60);
        for (int i = 0; i < 3; i++)
                cr_expect_gt(counts[i], 0, "socket %d", i);
        for (int i = 0; i < 60; i++)
                close(fds[i]);
        listeners_leave(listeners);
}

/* Two servers on one port would each get some of the clients. */
Test(listener, another_server_cannot_join_in)
{
        struct endpoint endpoint = loopback(0);
        struct listener *first = listeners_open(&endpoint, false, 2);

        cr_assert_not_null(first);
        endpoint = loopback(first->port);
        for (uint32_t count = 1; count <= 2; count++) {
                cr_expect_null(listeners_open(&endpoint, false, count));
                cr_expect_eq(errno, EADDRINUSE);
        }
        listeners_leave(first);
        struct listener *second = listeners_open(&endpoint, false, 2);
        cr_expect_not_null(second);
        listeners_leave(second);
}

Test(listener, the_last_one_to_leave_closes_it)
{
        struct endpoint endpoint = loopback(0);
        struct listener *listener = listeners_open(&endpoint, true, 1);

        cr_assert_not_null(listener);
        uint16_t port = listener->port;
        listener_refer(listener);
        listener_leave(listener);
        close(connect_to(port));
        listener_leave(listener);
        endpoint = loopback(port);
        listener = listeners_open(&endpoint, false, 1);
        cr_assert_not_null(listener, "it is closed");
        listener_leave(listener);
}
