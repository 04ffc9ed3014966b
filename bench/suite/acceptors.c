/* Acceptor threads against workers that accept for themselves (acceptors = 0), side by side. */
#include "bench/suite/internal.h"

#include "bench/common.h"
#include "bench/load/idle.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PACE            1000 /* sessions a second */
#define PACE_OPEN       2000
#define COST_SECONDS    0.7
#define BALANCED        8 /* workers */
#define BALANCE_OPEN    5000
#define AWAY_CLIENTS    50
#define HOLD_PATIENCE_S 20
#define HOLD_TRIES      100
#define HOLD_PAUSE_NS   20000000
#define SLOW_OPEN       10000
#define SLOW_RATE       1000 /* octets a second, of all slow clients together */
#define GOOD_SECONDS    2

enum side { ACCEPTORS, SELF, FLOOR, SIDES };

/* ---- CPU ----------------------------------------------------------------------------------------------- */

/* CPU of a refused session, round by round. Sides take turns at being first. */
struct costs {
        double cpus[SIDES][ROUNDS_MAX], p50_ms[SIDES][ROUNDS_MAX];
};

static void measure(struct suite *suite, const struct bench_options *options,
                    struct server *const servers[SIDES], unsigned sides, unsigned open,
                    struct costs *ret_costs)
{
        for (unsigned round = 0; round < options->rounds; round++)
                for (unsigned i = 0; i < sides; i++) {
                        unsigned side = (i + round) % sides;
                        struct trial trial =
                            suite_trial(suite, options, servers[side], "refused-recipient", open);
                        ret_costs->cpus[side][round] = trial.cpu_us;
                        ret_costs->p50_ms[side][round] =
                            histogram_quantile_us(&trial.load->session, 0.5) / 1000;
                        trial_free(&trial);
                }
}

static void ratios_of(const struct costs *costs, unsigned rounds, enum side side, enum side other,
                      double ret_ratios[static ROUNDS_MAX])
{
        for (unsigned round = 0; round < rounds; round++)
                ret_ratios[round] = costs->cpus[side][round] / costs->cpus[other][round];
}

/* Medians of the rounds' ratios: the machine's mood is that of the round. */
static void set_ratio(struct suite *suite, enum measured measured, const struct costs *costs, unsigned rounds)
{
        double ratios[ROUNDS_MAX];

        ratios_of(costs, rounds, ACCEPTORS, SELF, ratios);
        unsigned round = round_of_median(ratios, rounds);
        suite_set_rounds(suite, measured, ratios, rounds,
                         "%.2f us with acceptors, %.2f without in that round of %u",
                         costs->cpus[ACCEPTORS][round], costs->cpus[SELF][round], rounds);
}

static void set_floor_ratio(struct suite *suite, enum measured measured, const struct costs *costs,
                            unsigned rounds)
{
        double ratios[ROUNDS_MAX], without[ROUNDS_MAX];

        ratios_of(costs, rounds, ACCEPTORS, FLOOR, ratios);
        ratios_of(costs, rounds, SELF, FLOOR, without);
        unsigned round = round_of_median(ratios, rounds);
        suite_set_rounds(
            suite, measured, ratios, rounds, "%.2f us, floor %.2f in that round; %.2f x without acceptors",
            costs->cpus[ACCEPTORS][round], costs->cpus[FLOOR][round], median_of(without, rounds));
}

static void print_waits(struct costs *costs, unsigned rounds, const char *what)
{
        printf("#   %s: a session's median time %.2f ms with acceptors, %.2f without\n", what,
               median_of(costs->p50_ms[ACCEPTORS], rounds), median_of(costs->p50_ms[SELF], rounds));
}

/* More and shorter rounds than elsewhere: a difference of a twentieth is to be seen beside whatever else the
 * machine does. */
static struct bench_options cost_options(const struct suite *suite)
{
        struct bench_options options = *suite->options;

        if (suite->divisor > 1)
                return options;
        options.rounds = 2 * options.rounds + 1 < ROUNDS_MAX ? 2 * options.rounds + 1 : ROUNDS_MAX;
        options.seconds = COST_SECONDS;
        return options;
}

static void compare_costs(struct suite *suite)
{
        const struct bench_options options = cost_options(suite);
        struct bench_options paced = options;
        struct server *servers[SIDES] = {suite_start(&options, NULL),
                                         suite_start(&options, "acceptors = 0\n"),
                                         server_start(&options, PEER_floor, false)};
        struct costs costs = {0};

        measure(suite, &options, servers, SIDES, suite->divisor == 1 ? 500 : 5, &costs);
        set_ratio(suite, MEASURED_acceptors_500, &costs, options.rounds);
        set_floor_ratio(suite, MEASURED_acceptors_500_floor, &costs, options.rounds);
        print_waits(&costs, options.rounds, "500 open");
        measure(suite, &options, servers, SIDES, suite->divisor == 1 ? 50 : 2, &costs);
        set_ratio(suite, MEASURED_acceptors_50, &costs, options.rounds);
        set_floor_ratio(suite, MEASURED_acceptors_50_floor, &costs, options.rounds);
        print_waits(&costs, options.rounds, "50 open");
        paced.rate = PACE;
        measure(suite, &paced, servers, SELF + 1, PACE_OPEN, &costs);
        set_ratio(suite, MEASURED_acceptors_paced, &costs, options.rounds);
        print_waits(&costs, options.rounds, "paced");
        for (unsigned i = 0; i < SIDES; i++)
                server_stop(servers[i]);
}

/* ---- refusal at accept --------------------------------------------------------------------------------- */

/* -1: it is sent away. */
static int try_to_hold(const struct sockaddr_in *server)
{
        struct timeval patience = {.tv_sec = HOLD_PATIENCE_S};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        char octet;

        expect(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0);
        if (connect(fd, (const struct sockaddr *)server, sizeof *server) == 0 &&
            recv(fd, &octet, 1, 0) == 1 && octet == '2')
                return fd;
        close(fd);
        return -1;
}

/* A connection in the network that all clients of the scenarios are in. Whoever looked whether the server
 * listens may still be in its place. */
static int hold_one(const struct sockaddr_in *server)
{
        int fd = -1;

        for (int i = 0; i < HOLD_TRIES && (fd = try_to_hold(server)) < 0; i++)
                nanosleep(&(struct timespec){.tv_nsec = HOLD_PAUSE_NS}, NULL);
        if (fd < 0)
                bench_fail("the server does not greet");
        return fd;
}

static void compare_refusals(struct suite *suite)
{
        const struct bench_options *options = suite->options;
        struct server *server = suite_start(options, NULL);
        struct server *refusing =
            suite_start(options, "connections_per_network = 1\nclient_rate { prefix4 = 8 }\n");
        double ratios[ROUNDS_MAX], away[ROUNDS_MAX], refused[ROUNDS_MAX];
        int held = hold_one(&refusing->address);

        for (unsigned round = 0; round < options->rounds; round++) {
                struct trial first = suite_trial(suite, options, server, "refused-recipient", AWAY_CLIENTS);
                struct trial second = suite_trial(suite, options, refusing, "sent-away", AWAY_CLIENTS);
                refused[round] = first.cpu_us;
                away[round] = second.cpu_us;
                ratios[round] = away[round] / refused[round];
                trial_free(&first);
                trial_free(&second);
        }
        close(held);
        server_stop(server);
        server_stop(refusing);
        unsigned round = round_of_median(ratios, options->rounds);
        suite_set_rounds(suite, MEASURED_acceptors_sent_away, ratios, options->rounds,
                         "%.2f us and %.2f in that round", away[round], refused[round]);
}

/* ---- balance ------------------------------------------------------------------------------------------- */

/* How many descriptors the epoll instance knows: the kernel lists them. */
static unsigned epoll_size(pid_t pid, const char *fd)
{
        char path[300], line[256];
        unsigned size = 0;

        snprintf(path, sizeof path, "/proc/%d/fdinfo/%s", (int)pid, fd);
        FILE *file = fopen(path, "re");
        while (file != NULL && fgets(line, sizeof line, file) != NULL)
                size += strncmp(line, "tfd:", 4) == 0;
        if (file != NULL)
                fclose(file);
        return size;
}

static int compare_sizes(const void *left, const void *right)
{
        unsigned a = *(const unsigned *)left, b = *(const unsigned *)right;
        return (a < b) - (a > b);
}

/* The fullest of the workers to the emptiest. Their epoll instances are the largest ones. */
static double imbalance(pid_t pid)
{
        unsigned sizes[256], count = 0;
        char path[300], target[64];
        struct dirent *entry;

        snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
        DIR *folder = opendir(path);
        while (folder != NULL && (entry = readdir(folder)) != NULL && count < 256) {
                ssize_t length = readlinkat(dirfd(folder), entry->d_name, target, sizeof target - 1);
                if (length <= 0)
                        continue;
                target[length] = '\0';
                if (strstr(target, "[eventpoll]") != NULL)
                        sizes[count++] = epoll_size(pid, entry->d_name);
        }
        if (folder != NULL)
                closedir(folder);
        qsort(sizes, count, sizeof sizes[0], compare_sizes);
        if (count < BALANCED || sizes[BALANCED - 1] == 0)
                return 0;
        printf("#   fullest %u, emptiest %u\n", sizes[0], sizes[BALANCED - 1]);
        return (double)sizes[0] / sizes[BALANCED - 1];
}

static void compare_balance(struct suite *suite)
{
        static const char *const more[] = {"acceptors = auto\n", "acceptors = 0\n"};
        struct bench_options options = *suite->options;
        double ratios[2];

        options.workers = BALANCED;
        options.is_without_dns = true;
        for (unsigned i = 0; i < 2; i++) {
                struct server *server = suite_start(&options, more[i]);
                struct idle idle =
                    idle_open(&server->address, &server->watched, BALANCE_OPEN / suite->divisor);
                ratios[i] = imbalance(server->watched.pid);
                suite->failures += idle_close(&idle);
                suite->sessions += idle.open;
                server_stop(server);
        }
        suite_set(suite, MEASURED_acceptors_balance, ratios[0], "%u workers, %u open; %.1f without acceptors",
                  BALANCED, BALANCE_OPEN / suite->divisor, ratios[1]);
}

/* ---- slow sessions ------------------------------------------------------------------------------------- */

/* Clients who never finish a line in time: each of them sends an octet now and then. */
struct slow {
        struct idle idle;
        pthread_t thread;
        _Atomic bool is_over;
};

static void *slow_main(void *argument)
{
        static const char octets[] = "NOOP\r\n";
        struct slow *slow = argument;
        char replies[256];

        for (unsigned i = 0; !atomic_load(&slow->is_over); i++) {
                unsigned client = i % slow->idle.open, turn = i / slow->idle.open % (sizeof octets - 1);
                send(slow->idle.fds[client], &octets[turn], 1, MSG_NOSIGNAL | MSG_DONTWAIT);
                nanosleep(&(struct timespec){.tv_nsec = 1000000000 / SLOW_RATE}, NULL);
        }
        /* idle_close() takes what it finds unread for an end. */
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
        for (unsigned i = 0; i < slow->idle.open; i++)
                while (recv(slow->idle.fds[i], replies, sizeof replies, MSG_DONTWAIT) > 0)
                        ;
        return NULL;
}

static double good_p99_ms(struct suite *suite, const struct server *server)
{
        return suite_good_p99_ms(suite, server, "accepted-4k", GOOD_SECONDS);
}

static void compare_slow(struct suite *suite)
{
        unsigned rounds = suite->options->rounds, count = suite_possible(SLOW_OPEN) / suite->divisor;
        struct server *servers[2] = {suite_start(suite->options, NULL), suite_start(suite->options, NULL)};
        struct slow slow = {.idle = idle_open(&servers[0]->address, &servers[0]->watched, count)};
        double with[ROUNDS_MAX], without[ROUNDS_MAX], ratios[ROUNDS_MAX];

        expect(slow.idle.open > 0);
        expect(pthread_create(&slow.thread, NULL, slow_main, &slow) == 0);
        for (unsigned round = 0; round < rounds; round++) {
                with[round] = good_p99_ms(suite, servers[0]);
                without[round] = good_p99_ms(suite, servers[1]);
                ratios[round] = with[round] / without[round];
        }
        atomic_store(&slow.is_over, true);
        pthread_join(slow.thread, NULL);
        unsigned lost = idle_close(&slow.idle);
        for (unsigned i = 0; i < 2; i++)
                server_stop(servers[i]);
        unsigned round = round_of_median(ratios, rounds);
        suite_set_rounds(suite, MEASURED_acceptors_slow, ratios, rounds,
                         "%.2f ms and %.2f in that round; %u slow sessions, %u lost", with[round],
                         without[round], slow.idle.open, lost);
}

void suite_acceptors(struct suite *suite)
{
        compare_costs(suite);
        compare_refusals(suite);
        compare_balance(suite);
        compare_slow(suite);
}
