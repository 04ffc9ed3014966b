/* The whole server while calls fail: accept4() for want of descriptors, epoll_ctl() for want of memory. Nobody
 * who connects is left without a word, nothing spins, and nothing leaks: afterwards as many as ever are let in.
 * Then bursts in which listeners come and go, and in which the server stops. */
#include "core/base/expect.h"
#include "workers/server/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS      8   /* threads */
#define SESSIONS     250 /* of each */
#define HELD         400 /* connections_max, and connections_per_client */
#define SHARERS_MAX  3   /* acceptors, or workers where there are none */
#define BURST        200
#define PATIENCE_S   60
#define QUIET_TRIES  20
#define START_TRIES  3000
#define ACCEPT_FAULT 150 /* one call in so many fails */
#define ADD_FAULT    40
#define ADD_DELAY    7

static char folder[200], path[300];
static uint16_t port, more_port;
static _Atomic bool is_faulty;
static _Atomic uint64_t accept_faults, add_faults;

/* ---- faults -------------------------------------------------------------------------------------------- */

int __real_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);
int __real_epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event);
int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);
int __wrap_epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event);

int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
        static const int errors[] = {EMFILE, ENFILE, ECONNABORTED, ENOBUFS, ENOMEM};
        static _Atomic uint64_t calls;

        if (atomic_load(&is_faulty) && atomic_fetch_add(&calls, 1) % ACCEPT_FAULT == 0) {
                errno = errors[atomic_fetch_add(&accept_faults, 1) % (sizeof errors / sizeof errors[0])];
                return -1;
        }
        return __real_accept4(fd, address, length, flags);
}

/* Some wait a while, so that the worker knows the connection long before: still the descriptor must be that of
 * the connection, and no other. */
int __wrap_epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event)
{
        static _Atomic uint64_t calls;

        if (operation != EPOLL_CTL_ADD || !atomic_load(&is_faulty))
                return __real_epoll_ctl(epoll_fd, operation, fd, event);
        uint64_t call = atomic_fetch_add(&calls, 1);
        if (call % ADD_FAULT == 0) {
                errno = atomic_fetch_add(&add_faults, 1) % 2 == 0 ? ENOSPC : ENOMEM;
                return -1;
        }
        if (call % ADD_DELAY == 0)
                nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        expect(__real_epoll_ctl(epoll_fd, operation, fd, event) == 0);
        return 0;
}

/* ---- server -------------------------------------------------------------------------------------------- */

static uint16_t free_port(void)
{
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t length = sizeof address;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        expect(fd >= 0 && bind(fd, (struct sockaddr *)&address, length) == 0);
        expect(getsockname(fd, (struct sockaddr *)&address, &length) == 0);
        close(fd);
        return ntohs(address.sin_port);
}

static void configure(int acceptors, bool listens_more)
{
        FILE *file = fopen(path, "we");

        expect(file != NULL);
        fprintf(file,
                "hostname = \"mx1.isp.example\" allow_no_domains = yes workers = %d acceptors = %d "
                "delivery_threads = 1\n"
                "log = \"%s/log\" connections_max = %d connections_per_client = %d stress_at = 100 sandbox = "
                "off\n"
                "shutdown_timeout = 5s listen = {\"127.0.0.1:%u\"}\n",
                SHARERS_MAX, acceptors, folder, HELD, HELD, port);
        if (listens_more)
                fprintf(file, "listen += \"127.0.0.1:%u\"\n", more_port);
        expect(fclose(file) == 0);
}

static void *serve(void *argument)
{
        (void)argument;
        expect(server_run(&(struct server_wish){.path = path, .may_be_root = true}) == 0);
        return NULL;
}

/* ---- clients ------------------------------------------------------------------------------------------- */

/* -1: nobody listens there. */
static int try_connect(uint16_t to)
{
        struct sockaddr_in address = {
            .sin_family = AF_INET, .sin_port = htons(to), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        struct timeval patience = {.tv_sec = PATIENCE_S};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        expect(fd >= 0);
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
                return fd;
        expect(errno == ECONNREFUSED);
        close(fd);
        return -1;
}

/* Reads a line and gives its code; 0 at the end. Nobody is reset, and nobody waits for ever. */
static int hear(int fd)
{
        char line[600];
        size_t length = 0;

        while (length < sizeof line && (length == 0 || line[length - 1] != '\n')) {
                ssize_t received = recv(fd, line + length, 1, 0);
                if (received == 0)
                        return 0;
                expect(received == 1);
                length++;
        }
        return atoi(line);
}

/* 220 and 221, or 421 at any time, before the end. */
static void converse(int fd, unsigned *ret_refused)
{
        int code = hear(fd);

        expect(code == 220 || code == 421);
        if (code == 220) {
                send(fd, "QUIT\r\n", 6, MSG_NOSIGNAL);
                code = hear(fd);
                expect(code == 221 || code == 421);
        }
        *ret_refused += code == 421;
        expect(hear(fd) == 0);
}

/* What clients do: talk, leave at once, be reset, or say nothing before they leave. */
static void *connect_often(void *argument)
{
        unsigned *refused = argument;

        for (unsigned i = 0; i < SESSIONS; i++) {
                int fd = try_connect(port);
                expect(fd >= 0);
                if (i % 5 == 1)
                        setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
                else if (i % 5 == 3)
                        expect(hear(fd) > 0);
                else if (i % 5 != 2)
                        converse(fd, refused);
                close(fd);
        }
        return NULL;
}

static double cpu_seconds(void)
{
        struct timespec now;

        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
        return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void nap_ms(long ms)
{
        nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* ---- cases --------------------------------------------------------------------------------------------- */

static void with_faults(void)
{
        pthread_t threads[CLIENTS];
        unsigned refused[CLIENTS] = {0}, all = 0;

        atomic_store(&is_faulty, true);
        for (int i = 0; i < CLIENTS; i++)
                expect(pthread_create(&threads[i], NULL, connect_often, &refused[i]) == 0);
        for (int i = 0; i < CLIENTS; i++) {
                pthread_join(threads[i], NULL);
                all += refused[i];
        }
        atomic_store(&is_faulty, false);
        printf("%llu faults of accept4, %llu of epoll_ctl; %u clients were sent away\n",
               (unsigned long long)atomic_exchange(&accept_faults, 0),
               (unsigned long long)atomic_exchange(&add_faults, 0), all);
}

/* What there was to do is done after some half seconds; what spins never has one. */
static void await_quiet(void)
{
        for (int i = 0; i < QUIET_TRIES; i++) {
                double before = cpu_seconds();
                nap_ms(500);
                double spent = cpu_seconds() - before;
                printf("full: %.3f s of CPU in 0.5\n", spent);
                if (spent < 0.25)
                        return;
        }
        expect(false);
}

/* All of them have left: as many as may be open at all are let in at once, and then nobody but one for each
 * who accepts besides the first. */
static void nothing_has_leaked(int sharers)
{
        int fds[HELD], late[SHARERS_MAX], waiting = 0;
        char octet;

        nap_ms(2500); /* whoever was dropped has gone */
        for (int i = 0; i < HELD; i++)
                expect((fds[i] = try_connect(port)) >= 0);
        for (int i = 0; i < HELD; i++)
                expect(hear(fds[i]) == 220);
        for (int i = 0; i < sharers; i++)
                expect((late[i] = try_connect(port)) >= 0);
        await_quiet();
        for (int i = 0; i < sharers; i++)
                waiting += recv(late[i], &octet, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == EAGAIN;
        expect(waiting > 0);
        for (int i = 0; i < HELD; i++)
                close(fds[i]);
        for (int i = 0; i < sharers; i++) {
                int code = hear(late[i]);
                expect(code == 220 || code == 421);
                close(late[i]);
        }
}

/* `other`: 0, or a port half of them go to. */
static void burst_begin(int fds[static BURST], uint16_t other)
{
        for (int i = 0; i < BURST; i++)
                expect((fds[i] = try_connect(other != 0 && i % 2 == 0 ? other : port)) >= 0);
}

static void burst_end(const int fds[static BURST])
{
        unsigned refused = 0;

        for (int i = 0; i < BURST; i++) {
                converse(fds[i], &refused);
                close(fds[i]);
        }
}

static void await_port(uint16_t wanted, bool is_open)
{
        for (int i = 0; i < START_TRIES; i++) {
                int fd = try_connect(wanted);
                if (fd >= 0)
                        close(fd);
                if ((fd >= 0) == is_open)
                        return;
                nap_ms(10);
        }
        expect(false);
}

static void listeners_come_and_go(int acceptors)
{
        int fds[BURST];

        for (int round = 0; round < 6; round++) {
                configure(acceptors, true);
                kill(getpid(), SIGHUP);
                await_port(more_port, true);
                burst_begin(fds, more_port);
                configure(acceptors, false);
                kill(getpid(), SIGHUP);
                burst_end(fds);
                await_port(more_port, false);
        }
}

static void run(int acceptors)
{
        pthread_t thread;
        int fds[BURST];

        setvbuf(stdout, NULL, _IOLBF, 0);
        printf("acceptors = %d\n", acceptors);
        port = free_port();
        do
                more_port = free_port();
        while (more_port == port);
        configure(acceptors, false);
        expect(pthread_create(&thread, NULL, serve, NULL) == 0);
        await_port(port, true);
        with_faults();
        nothing_has_leaked(acceptors == 1 ? 1 : SHARERS_MAX);
        listeners_come_and_go(acceptors);
        burst_begin(fds, 0);
        kill(getpid(), SIGTERM);
        burst_end(fds);
        pthread_join(thread, NULL);
        fflush(stdout);
}

int main(void)
{
        const char *tmp = getenv("TMPDIR");
        sigset_t signals;

        /* They are for the server's thread. */
        sigemptyset(&signals);
        sigaddset(&signals, SIGHUP);
        sigaddset(&signals, SIGTERM);
        pthread_sigmask(SIG_BLOCK, &signals, NULL);
        snprintf(folder, sizeof folder, "%s/gatepost-acceptors-XXXXXX", tmp != NULL ? tmp : "/tmp");
        expect(mkdtemp(folder) != NULL);
        snprintf(path, sizeof path, "%s/gatepost.conf", folder);
        run(1);
        run(SHARERS_MAX);
        run(0);
        unlink(path);
        snprintf(path, sizeof path, "%s/log", folder);
        unlink(path);
        rmdir(folder);
        return 0;
}
