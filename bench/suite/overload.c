/* Known clients while idle connections and a flood of new ones hold the rest. */
#include "bench/suite/internal.h"

#include "bench/common.h"
#include "bench/load/idle.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HELD          20000
#define FLOOD_RATE    5000 /* connections a second */
#define FLOOD_QUICK   500 /* of a quick run, which shows that all works, be the program and the machine slow */
#define FLOOD_OPEN    1024 /* of these at a time; the oldest is closed then */
#define FLOOD_STEP_NS 2000000
#define FLOOD_CLIENTS UINT32_C(0x7f600000) /* 127.96.0.0, a million addresses that nobody knows */
#define GOOD_SECONDS  3
/* Strangers keep what they hold, as those would who say something now and then. */
#define KNOWN "client_rate { exempt = {\"127.250.0.0/16\"} }\nstress_timeout = 10m\n"

/* Strangers that connect, hear what they are told, and are gone; their pace is the clock's, not the server's. */
struct flood {
        struct sockaddr_in server;
        uint64_t rate;
        pthread_t thread;
        _Atomic bool is_over;
        uint64_t begun, failed; /* connections; read when the thread has ended */
        double seconds;
};

static int connect_stranger(const struct sockaddr_in *server, uint64_t number)
{
        struct sockaddr_in from = {.sin_family = AF_INET,
                                   .sin_addr.s_addr =
                                       htonl(FLOOD_CLIENTS + (uint32_t)(number * 7919 % 1000000))};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;

        if (fd < 0)
                return -1;
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
        if (bind(fd, (const struct sockaddr *)&from, sizeof from) == 0 &&
            (connect(fd, (const struct sockaddr *)server, sizeof *server) == 0 || errno == EINPROGRESS))
                return fd;
        close(fd);
        return -1;
}

static void *flood_main(void *argument)
{
        struct flood *flood = argument;
        uint64_t begin_ns = bench_now_ns();
        int fds[FLOOD_OPEN];

        for (unsigned i = 0; i < FLOOD_OPEN; i++)
                fds[i] = -1;
        while (!atomic_load(&flood->is_over)) {
                uint64_t due = (bench_now_ns() - begin_ns) * flood->rate / 1000000000;
                for (; flood->begun < due; flood->begun++) {
                        int *place = &fds[flood->begun % FLOOD_OPEN];
                        if (*place >= 0)
                                close(*place);
                        *place = connect_stranger(&flood->server, flood->begun);
                        flood->failed += *place < 0;
                }
                nanosleep(&(struct timespec){.tv_nsec = FLOOD_STEP_NS}, NULL);
        }
        flood->seconds = (double)(bench_now_ns() - begin_ns) / 1e9;
        for (unsigned i = 0; i < FLOOD_OPEN; i++)
                if (fds[i] >= 0)
                        close(fds[i]);
        return NULL;
}

static double good_p99_ms(struct suite *suite, const struct server *server)
{
        return suite_good_p99_ms(suite, server, "accepted-known", GOOD_SECONDS);
}

/* Two servers in turn: one that nobody else uses, and one that strangers hold. */
void suite_overload(struct suite *suite)
{
        unsigned rounds = suite->options->rounds, count = suite_possible(HELD) / suite->divisor;
        struct server *servers[2] = {suite_start(suite->options, KNOWN), suite_start(suite->options, KNOWN)};
        struct idle idle = idle_open(&servers[0]->address, &servers[0]->watched, count);
        double under[ROUNDS_MAX], without[ROUNDS_MAX], ratios[ROUNDS_MAX];
        uint64_t begun = 0, failed = 0;
        double seconds = 0;

        for (unsigned round = 0; round < rounds; round++) {
                struct flood flood = {.server = servers[0]->address,
                                      .rate = suite->divisor > 1 ? FLOOD_QUICK : FLOOD_RATE};
                without[round] = good_p99_ms(suite, servers[1]);
                expect(pthread_create(&flood.thread, NULL, flood_main, &flood) == 0);
                under[round] = good_p99_ms(suite, servers[0]);
                atomic_store(&flood.is_over, true);
                pthread_join(flood.thread, NULL);
                ratios[round] = under[round] / without[round];
                begun += flood.begun;
                failed += flood.failed;
                seconds += flood.seconds;
        }
        unsigned held = idle.open, lost = idle_close(&idle);
        for (unsigned i = 0; i < 2; i++)
                server_stop(servers[i]);
        unsigned round = round_of_median(ratios, rounds);
        suite_set(suite, MEASURED_overload_held, held, "%u were wanted, %u lost meanwhile", count, lost);
        suite_set(suite, MEASURED_overload_flood, (double)begun / seconds, "%llu of %llu could not be begun",
                  (unsigned long long)failed, (unsigned long long)begun);
        suite_set(suite, MEASURED_overload_idle_p99, without[round], "in the round of the median ratio");
        suite_set_rounds(suite, MEASURED_overload_p99, ratios, rounds, "%.2f ms and %.2f in that round",
                         under[round], without[round]);
}
