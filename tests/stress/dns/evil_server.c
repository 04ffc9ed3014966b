/* The hostile server's sockets and thread. */
#include "evil_server.h"

#include "core/base/expect.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define SILENCE_US 200000

static struct {
        int udp_fd, other_fd, tcp_fd, stop_fd;
        uint16_t port;
        pthread_t thread;
} evil;

static void udp_turn(void)
{
        struct sockaddr_in peer;
        socklen_t peer_length = sizeof peer;
        ssize_t length =
            recvfrom(evil.udp_fd, evil_query.octets, PACKET_MAX, 0, (struct sockaddr *)&peer, &peer_length);

        expect(length > 16);
        evil_query.length = (size_t)length;
        const struct evil_behaviour *behaviour = evil_behaviour_find();
        if (behaviour->change == NULL)
                return;
        evil_answer_good();
        if (evil_label_is("spoof")) {
                evil_answer.octets[evil_answer.length - 1] = 66;
                sendto(evil.other_fd, evil_answer.octets, evil_answer.length, 0, (struct sockaddr *)&peer,
                       peer_length);
                evil_answer_good();
        }
        behaviour->change();
        int fd = evil_label_is("source") ? evil.other_fd : evil.udp_fd;
        sendto(fd, evil_answer.octets, evil_answer.length, 0, (struct sockaddr *)&peer, peer_length);
}

static void tcp_send(int fd, size_t announced, size_t length, bool is_slow)
{
        unsigned char prefix[2] = {(unsigned char)(announced >> 8), (unsigned char)announced};

        send(fd, prefix, 2, MSG_NOSIGNAL);
        for (size_t sent = 0; sent < length;) {
                ssize_t more =
                    send(fd, evil_answer.octets + sent, is_slow ? 10 : length - sent, MSG_NOSIGNAL);
                if (more <= 0)
                        return;
                sent += (size_t)more;
                if (is_slow)
                        usleep(2000);
        }
}

static void tcp_answer(int fd)
{
        evil_answer_good();
        if (evil_label_is("tcwrong"))
                evil_do_wrong_name();
        if (evil_label_is("tcgarbage"))
                evil_do_garbage();
        if (evil_label_is("tctwice"))
                evil_do_truncated();
        if (evil_label_is("tchuge"))
                evil_do_huge();
        if (evil_label_is("tcclose"))
                return;
        if (evil_label_is("tcsilent"))
                usleep(SILENCE_US);
        else if (evil_label_is("tcmid"))
                tcp_send(fd, evil_answer.length, 20, false);
        else if (evil_label_is("tcshort"))
                tcp_send(fd, 5, 5, false);
        else if (evil_label_is("tczero"))
                tcp_send(fd, 0, 0, false);
        else
                tcp_send(fd, evil_answer.length, evil_answer.length, evil_label_is("tcslow"));
}

/* One query a connection, then it is closed: that alone is hard on clients. */
static void tcp_turn(void)
{
        unsigned char prefix[2];
        int fd = accept(evil.tcp_fd, NULL, NULL);

        if (fd < 0)
                return;
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_usec = 100000}, sizeof(struct timeval));
        if (recv(fd, prefix, 2, MSG_WAITALL) == 2) {
                size_t length = (size_t)prefix[0] << 8 | prefix[1];
                if (length > 16 && recv(fd, evil_query.octets, length, MSG_WAITALL) == (ssize_t)length) {
                        evil_query.length = length;
                        tcp_answer(fd);
                }
        }
        close(fd);
}

static void *evil_run(void *argument)
{
        struct pollfd fds[] = {{evil.udp_fd, POLLIN, 0}, {evil.tcp_fd, POLLIN, 0}, {evil.stop_fd, POLLIN, 0}};

        for (;;) {
                poll(fds, 3, -1);
                if (fds[0].revents)
                        udp_turn();
                if (fds[1].revents)
                        tcp_turn();
                if (fds[2].revents)
                        return argument;
        }
}

static int bound(int type, uint16_t port)
{
        struct sockaddr_in address = {
            .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
        socklen_t length = sizeof address;
        int fd = socket(AF_INET, type, 0), one = 1;

        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (bind(fd, (struct sockaddr *)&address, length) < 0 ||
            (type == SOCK_STREAM && listen(fd, 64) < 0)) {
                close(fd);
                return -1;
        }
        getsockname(fd, (struct sockaddr *)&address, &length);
        evil.port = ntohs(address.sin_port);
        return fd;
}

uint16_t evil_begin(void)
{
        evil.tcp_fd = -1;
        for (int tries = 0; tries < 20 && evil.tcp_fd < 0; tries++) {
                if (tries > 0)
                        close(evil.udp_fd);
                evil.udp_fd = bound(SOCK_DGRAM, 0);
                evil.tcp_fd = bound(SOCK_STREAM, evil.port);
        }
        uint16_t port = evil.port;
        evil.other_fd = bound(SOCK_DGRAM, 0);
        evil.port = port;
        evil.stop_fd = eventfd(0, 0);
        expect(evil.udp_fd >= 0 && evil.tcp_fd >= 0 && evil.other_fd >= 0);
        expect(pthread_create(&evil.thread, NULL, evil_run, NULL) == 0);
        return port;
}

void evil_end(void)
{
        uint64_t one = 1;

        expect(write(evil.stop_fd, &one, sizeof one) == sizeof one);
        pthread_join(evil.thread, NULL);
        close(evil.udp_fd);
        close(evil.other_fd);
        close(evil.tcp_fd);
        close(evil.stop_fd);
}
