/* The sockets of connections to next hops. */
#include "workers/hop/internal.h"

#include "workers/local/octets.h"
#include "workers/local/socket.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

static int open_socket(const struct hop_connection *connection)
{
        const struct next_hop *hop = &connection->target->hop;
        const struct endpoint endpoint = {.address = connection->address, .port = hop->endpoint.port};

        return hop->kind == NEXT_HOP_AT_PATH ? local_socket_connect(hop->name) : socket_connect(&endpoint);
}

/* The kernel tells at once that the queue of a unix socket is full, where TCP is silent and asks again by itself. So
 * that is no failure: we ask again, for as long as a connection may take. */
bool hop_connect(struct hop_thread *thread, struct hop_connection *connection)
{
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = connection};
        int fd = open_socket(connection);

        if (fd < 0)
                return errno == EAGAIN;
        if (epoll_ctl(thread->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0) {
                connection->fd = fd;
                return true;
        }
        int error = errno;
        close(fd);
        errno = error;
        return false;
}
