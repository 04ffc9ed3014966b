/* What it costs to have another configuration judge all sessions: on the worker's way, and with the thread that does
 * it. */
#include "bench/suite/internal.h"

#include "bench/common.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_SIZE 65536

/* An order to a server of ours; ends the program when it is not done. */
static void order(const struct server *server, const char *words, char ret_answer[static ANSWER_SIZE])
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        char line[1024];
        size_t length = 0;
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        expect(snprintf(address.sun_path, sizeof address.sun_path, "%s/control", server->folder) <
               (int)sizeof address.sun_path);
        snprintf(line, sizeof line, "%s\n", words);
        if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
            send(fd, line, strlen(line), MSG_NOSIGNAL) != (ssize_t)strlen(line))
                bench_fail("cannot order %s", words);
        do {
                ssize_t more = recv(fd, ret_answer + length, ANSWER_SIZE - 1 - length, 0);
                if (more <= 0)
                        bench_fail("no answer to %s", words);
                length += (size_t)more;
                ret_answer[length] = '\0';
        } while (strstr(ret_answer, "\"ok\":") == NULL);
        if (strstr(ret_answer, "\"ok\":true") == NULL)
                bench_fail("%s: %s", words, ret_answer);
        close(fd);
}

/* The CPU time of the thread that judges; 0: there is none. */
static double thread_cpu_us(const struct server *server)
{
        char path[400], name[32];
        uint64_t ns = 0, found_ns = 0;

        snprintf(path, sizeof path, "/proc/%d/task", (int)server->watched.pid);
        DIR *tasks = opendir(path);
        for (const struct dirent *task; tasks != NULL && (task = readdir(tasks)) != NULL;) {
                snprintf(path, sizeof path, "/proc/%d/task/%.20s/comm", (int)server->watched.pid,
                         task->d_name);
                FILE *file = fopen(path, "re");
                bool is_shadow =
                    file != NULL && fscanf(file, "%31s", name) == 1 && strcmp(name, "shadow") == 0;
                if (file != NULL)
                        fclose(file);
                snprintf(path, sizeof path, "/proc/%d/task/%.20s/schedstat", (int)server->watched.pid,
                         task->d_name);
                file = is_shadow ? fopen(path, "re") : NULL;
                if (file != NULL && fscanf(file, "%" SCNu64, &ns) == 1)
                        found_ns = ns;
                if (file != NULL)
                        fclose(file);
        }
        if (tasks != NULL)
                closedir(tasks);
        return (double)found_ns / 1000;
}

static uint64_t number_in(const char *answer, const char *name)
{
        const char *at = strstr(answer, name);
        return at == NULL ? 0 : strtoull(at + strlen(name), NULL, 10);
}

static void tell_judged(const struct server *server)
{
        static char answer[ANSWER_SIZE];

        order(server, "shadow_status", answer);
        printf("#   %" PRIu64 " sessions judged again, %" PRIu64
               " not, because that had cost enough, %" PRIu64 " for want of room\n",
               number_in(answer, "\"judged\":"), number_in(answer, "\"over_cost\":"),
               number_in(answer, "\"dropped\":"));
}

/* Of what a session costs, the part that is the thread's: what both take before and behind the measured time is the
 * same work. */
static double trial_cpu_us(struct suite *suite, const struct server *server, double *ret_of_thread_us)
{
        struct usage before = usage_read(&server->watched);
        double thread = thread_cpu_us(server);
        struct trial trial =
            suite_trial(suite, suite->options, server, "spam-mix", suite->options->concurrencies[0]);
        double all = usage_read(&server->watched).cpu_us - before.cpu_us, cpu_us = trial.cpu_us;

        *ret_of_thread_us = all > 0 ? cpu_us * (thread_cpu_us(server) - thread) / all : 0;
        trial_free(&trial);
        return cpu_us;
}

void suite_shadow(struct suite *suite)
{
        static char answer[ANSWER_SIZE];
        static const char more[] = "control = \"@DIR@/control\"\n";
        double costs[ROUNDS_MAX], recordings[ROUNDS_MAX], cpus[2][ROUNDS_MAX], thread_us = 0;
        struct server *servers[2] = {suite_start(suite->options, more), suite_start(suite->options, more)};
        char words[600];

        snprintf(words, sizeof words, "shadow_start 1000000 %s/gatepost.conf", servers[0]->folder);
        order(servers[0], words, answer);
        for (unsigned round = 0; round < suite->options->rounds; round++) {
                double none;
                for (unsigned i = 0; i < 2; i++) {
                        unsigned which = (i + round) % 2;
                        cpus[which][round] =
                            trial_cpu_us(suite, servers[which], which == 0 ? &thread_us : &none);
                }
                costs[round] = 100 * (cpus[0][round] / cpus[1][round] - 1);
                recordings[round] = 100 * ((cpus[0][round] - thread_us) / cpus[1][round] - 1);
        }
        tell_judged(servers[0]);
        unsigned round = round_of_median(costs, suite->options->rounds);
        suite_set_rounds(suite, MEASURED_shadow_cost, costs, suite->options->rounds,
                         "%.2f us with, %.2f us without in that round of %u", cpus[0][round], cpus[1][round],
                         suite->options->rounds);
        suite_set_rounds(suite, MEASURED_shadow_recording, recordings, suite->options->rounds, "%s", "");
        for (unsigned i = 0; i < 2; i++)
                server_stop(servers[i]);
}
