/* Sockets that let nobody wait. */
#include "workers/local/octets.h"

#include "conf/socket_address.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

int socket_connect(const struct endpoint *endpoint)
{
        struct sockaddr_storage address;
        socklen_t length = address_to_socket(&endpoint->address, endpoint->port, &address);
        int yes = 1, fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        if (fd < 0)
                return -1;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        /* It goes on when a signal has interrupted the call (POSIX). */
        if (connect(fd, (const struct sockaddr *)&address, length) == 0 || errno == EINPROGRESS ||
            errno == EINTR)
                return fd;
        int error = errno;
        close(fd);
        errno = error;
        return -1;
}

bool socket_send(int fd, struct span *octets, int flags)
{
        while (octets->length > 0) {
                ssize_t sent = send(fd, octets->at, octets->length, MSG_NOSIGNAL | flags);
                if (sent < 0 && errno == EINTR)
                        continue;
                if (sent < 0)
                        return errno == EAGAIN;
                *octets = span_skip(*octets, (size_t)sent);
        }
        return true;
}

ssize_t socket_receive(int fd, char *room, size_t size)
{
        ssize_t received;

        do
                received = recv(fd, room, size, 0);
        while (received < 0 && errno == EINTR);
        return received;
}
