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

static struct listener *open_all(const struct endpoint *endpoint, uint32_t count)
{
        struct listener *listeners = listeners_bind(endpoint, false, count);

        cr_assert_not_null(listeners);
        cr_assert_null(listeners_listen(listeners));
        return listeners;
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
        struct listener *listeners = open_all(&endpoint, 3);
        unsigned counts[3] = {0}, all = 0;
        int fds[60];

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
        listeners_free(listeners);
}

/* Two servers on one port would each get some of the clients. */
Test(listener, another_server_cannot_join_in)
{
        struct endpoint endpoint = loopback(0);
        struct listener *first = open_all(&endpoint, 2);

        endpoint = loopback(first->port);
        for (uint32_t count = 1; count <= 2; count++) {
                cr_expect_null(listeners_bind(&endpoint, false, count));
                cr_expect_eq(errno, EADDRINUSE);
        }
        listeners_free(first);
        struct listener *second = listeners_bind(&endpoint, false, 2);
        cr_expect_not_null(second);
        listeners_free(second);
}

/* Two may bind as long as neither listens. */
Test(listener, the_one_that_cannot_listen_is_named)
{
        struct endpoint endpoint = loopback(0);
        struct listener *first = listeners_bind(&endpoint, false, 1);

        cr_assert_not_null(first);
        endpoint = loopback(first->port);
        struct listener *second = listeners_bind(&endpoint, false, 1);
        cr_assert_not_null(second);
        cr_expect_null(listeners_listen(first));
        cr_expect_eq(listeners_listen(second), second);
        cr_expect_eq(errno, EADDRINUSE);
        listeners_free(first);
        listeners_free(second);
}

static bool is_refused(uint16_t port)
{
        struct sockaddr_in address = {
            .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        bool is_refused =
            connect(fd, (struct sockaddr *)&address, sizeof address) != 0 && errno == ECONNREFUSED;
        close(fd);
        return is_refused;
}

Test(listener, the_last_user_to_leave_closes_it)
{
        struct endpoint endpoint = loopback(0);
        struct listener *listener = open_all(&endpoint, 1);

        listener_set_users(listener, 2);
        int fd = connect_to(listener->port);
        cr_expect_eq(listener_leave(listener), 0);
        cr_expect(!atomic_load(&listener->is_closed));
        close(connect_to(listener->port));
        cr_expect_eq(listener_leave(listener), 2, "both are in the queue still");
        cr_expect(atomic_load(&listener->is_closed));
        cr_expect(is_refused(listener->port));
        close(fd);
        listeners_free(listener);
}

Test(listener, one_that_is_bound_only_has_no_queue)
{
        struct endpoint endpoint = loopback(0);
        struct listener *listener = listeners_bind(&endpoint, false, 1);

        cr_expect(is_refused(listener->port));
        listeners_free(listener);
}

/* Those who have connected are there, and a new one is neither let in nor refused. */
Test(listener, one_that_departs_takes_nobody_new)
{
        struct endpoint endpoint = loopback(0);
        struct listener *listener = open_all(&endpoint, 1);
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = htons(listener->port),
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int before = connect_to(listener->port);
        int after = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        cr_expect(!listener_is_departing(listener));
        listener_depart(listener, 1000);
        cr_expect(listener_is_departing(listener));
        cr_expect(connect(after, (struct sockaddr *)&address, sizeof address) != 0 && errno == EINPROGRESS);
        struct pollfd polled = {.fd = after, .events = POLLOUT};
        cr_expect_eq(poll(&polled, 1, 100), 0);
        cr_expect_eq(accept_all(listener), 1);
        close(before);
        close(after);
        listeners_free(listener);
}

Test(listener, a_departure_has_its_times)
{
        struct endpoint endpoint = loopback(0);
        struct listener *listener = open_all(&endpoint, 1);

        listener_depart(listener, 1000);
        cr_expect_eq(listener_departure(listener, 900), DEPARTURE_YOUNG, "an older clock");
        cr_expect_eq(listener_departure(listener, 1000 + DEPARTURE_MS - 1), DEPARTURE_YOUNG);
        cr_expect_eq(listener_departure(listener, 1000 + DEPARTURE_MS), DEPARTURE_RIPE);
        cr_expect_eq(listener_departure(listener, 1000 + DEPARTURE_LATE_MS), DEPARTURE_LATE);
        cr_expect_eq(listener_departure(listener, 1000 + DEPARTURE_MAX_MS), DEPARTURE_OVER);
        listeners_free(listener);
}
