/* gatepost-bench idle N: connections that are greeted and then say nothing. */
#include "bench/load/idle.h"

#include "bench/common.h"
#include "bench/peers/server.h"
#include "bench/tls/context.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_S 20
#define SETTLE_NS  300000000
#define BATCH      64
/* The clients' addresses are few enough to be warmed up, and too many for any to exceed a rate. */
#define CLIENTS 4096

/* Reads one whole reply and says whether it has that code; replies of one line, or last lines, end with CRLF
 * at the end of a read. */
static bool hear(int fd, const char *code)
{
        char octets[2048];
        size_t length = 0;

        while (length < sizeof octets) {
                ssize_t received = recv(fd, octets + length, sizeof octets - length, 0);
                if (received <= 0)
                        return false;
                length += (size_t)received;
                if (octets[length - 1] != '\n')
                        continue;
                const char *before = memrchr(octets, '\n', length - 1);
                const char *last = before == NULL ? octets : before + 1;
                if (last + 4 <= octets + length && last[3] == ' ')
                        return memcmp(last, code, 3) == 0;
        }
        return false;
}

static int connect_client(const struct sockaddr_in *server, unsigned number)
{
        struct sockaddr_in from = {.sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(0x7f800000u + number % CLIENTS)};
        struct timeval patience = {.tv_sec = PATIENCE_S};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

        if (fd < 0)
                return -1;
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        if (bind(fd, (const struct sockaddr *)&from, sizeof from) == 0 &&
            connect(fd, (const struct sockaddr *)server, sizeof *server) == 0)
                return fd;
        close(fd);
        return -1;
}

static const char hello[] = "EHLO idle.example.net\r\n";

/* Our side of TLS is given up then, so that only the server's takes memory. */
static bool secure(SSL_CTX *context, int fd)
{
        static const char start[] = "STARTTLS\r\n";
        char code[512];

        if (send(fd, start, sizeof start - 1, MSG_NOSIGNAL) < 0 || !hear(fd, "220"))
                return false;
        SSL *ssl = SSL_new(context);
        expect(ssl != NULL && SSL_set_fd(ssl, fd) == 1);
        bool is_secure = SSL_connect(ssl) == 1 && SSL_write(ssl, hello, sizeof hello - 1) > 0 &&
                         SSL_read(ssl, code, sizeof code) >= 3 && memcmp(code, "250", 3) == 0;
        SSL_set_quiet_shutdown(ssl, 1);
        SSL_free(ssl);
        return is_secure;
}

/* Greets at most BATCH at a time, because some servers have each client wait for its banner. Returns how many
 * were greeted: these are in `fds`, the others are closed. `context` is NULL without TLS. */
static unsigned greet(const struct sockaddr_in *server, SSL_CTX *context, unsigned first, unsigned count,
                      int *fds)
{
        unsigned open = 0, greeted = 0;

        count = count < BATCH ? count : BATCH;
        while (open < count && (fds[open] = connect_client(server, first + open)) >= 0)
                open++;
        for (unsigned i = 0; i < open; i++)
                if (!hear(fds[i], "220") || send(fds[i], hello, sizeof hello - 1, MSG_NOSIGNAL) < 0)
                        shutdown(fds[i], SHUT_RDWR);
        while (greeted < open && hear(fds[greeted], "250") &&
               (context == NULL || secure(context, fds[greeted])))
                greeted++;
        while (open > greeted)
                close(fds[--open]);
        return greeted;
}

/* Each address comes twice, because what an answer from DNS leads to is asked by the next session. */
static void warm_up(const struct sockaddr_in *server, SSL_CTX *context)
{
        int fds[BATCH];

        for (unsigned i = 0; i < 2 * CLIENTS; i += BATCH)
                for (unsigned greeted = greet(server, context, i, BATCH, fds); greeted > 0;)
                        close(fds[--greeted]);
}

static struct idle open_all(const struct sockaddr_in *server, const struct watched *watched, SSL_CTX *context,
                            unsigned count)
{
        struct idle idle = {.fds = calloc(count, sizeof *idle.fds), .octets = -1};
        unsigned greeted;

        expect(idle.fds != NULL);
        bench_raise_descriptors(count);
        warm_up(server, context);
        uint64_t before = usage_read(watched).user_memory;
        while (idle.open < count &&
               (greeted = greet(server, context, idle.open, count - idle.open, idle.fds + idle.open)) > 0)
                idle.open += greeted;
        nanosleep(&(struct timespec){.tv_nsec = SETTLE_NS}, NULL);
        if (idle.open == count)
                idle.octets = (double)((int64_t)usage_read(watched).user_memory - (int64_t)before) / count;
        else
                fprintf(stderr, "only %u idle connections\n", idle.open);
        return idle;
}

struct idle idle_open(const struct sockaddr_in *server, const struct watched *watched, unsigned count)
{
        return open_all(server, watched, NULL, count);
}

unsigned idle_close(struct idle *idle)
{
        unsigned lost = 0;
        char octet;

        for (unsigned i = 0; i < idle->open; i++) {
                lost += recv(idle->fds[i], &octet, 1, MSG_DONTWAIT) >= 0 || errno != EAGAIN;
                close(idle->fds[i]);
        }
        free(idle->fds);
        idle->fds = NULL;
        return lost;
}

double idle_memory(const struct sockaddr_in *server, const struct watched *watched, unsigned count)
{
        struct idle idle = idle_open(server, watched, count);

        idle_close(&idle);
        return idle.octets;
}

double idle_memory_secure(const struct sockaddr_in *server, const struct watched *watched, unsigned count)
{
        SSL_CTX *context = tls_client_context(&(struct tls_wishes){0});
        struct idle idle = open_all(server, watched, context, count);

        idle_close(&idle);
        SSL_CTX_free(context);
        return idle.octets;
}

int idle_command(const struct bench_options *options, int count, char **arguments)
{
        struct watched watched = {.pid = options->pid};
        struct sockaddr_in address = options->server;
        struct server *server = NULL;
        int number = count == 1 ? atoi(arguments[0]) : 0;

        if (number <= 0)
                bench_fail("idle needs a number of connections");
        if (options->peer != NULL) {
                server = server_start(options, peer_find(options->peer), false);
                address = server->address;
                watched = server->watched;
        }
        if (watched.pid == 0 || address.sin_port == 0)
                bench_fail("idle needs --peer NAME, or --server ADDR:PORT and --pid PID");
        double octets = idle_memory(&address, &watched, (unsigned)number);
        if (server != NULL)
                server_stop(server);
        if (octets < 0)
                return 1;
        printf("%d idle connections: %.0f octets of the server's user memory each\n", number, octets);
        return 0;
}
