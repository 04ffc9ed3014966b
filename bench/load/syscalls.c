/* System calls per session, counted by strace: exact, but the server is slow meanwhile, so this run gives no
 * other figure. */
#include "bench/load/syscalls.h"

#include "bench/common.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ATTACH_TRIES 200 /* of 10 ms */

static void nap(void)
{
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

static bool is_traced(pid_t pid)
{
        char path[64], line[128];
        int tracer = 0;

        snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
        FILE *file = fopen(path, "re");
        while (file != NULL && fgets(line, sizeof line, file) != NULL)
                if (sscanf(line, "TracerPid: %d", &tracer) == 1)
                        break;
        if (file != NULL)
                fclose(file);
        return tracer != 0;
}

struct syscall_count *syscalls_begin(const struct watched *watched)
{
        struct syscall_count *count = calloc(1, sizeof *count);
        char pid[16];

        expect(count != NULL);
        snprintf(pid, sizeof pid, "%d", (int)watched->pid);
        snprintf(count->path, sizeof count->path, "/tmp/gatepost-bench-strace-%d", (int)getpid());
        count->strace = fork();
        expect(count->strace >= 0);
        if (count->strace == 0) {
                sigset_t none;
                sigemptyset(&none);
                sigprocmask(SIG_SETMASK, &none, NULL);
                int null = open("/dev/null", O_RDWR);
                dup2(null, STDERR_FILENO);
                execlp("strace", "strace", "-c", "-f", "-qq", "-o", count->path, "-p", pid, (char *)NULL);
                _exit(127);
        }
        for (int i = 0; i < ATTACH_TRIES; i++) {
                nap();
                if (is_traced(watched->pid)) {
                        /* The other threads follow the first. */
                        nap();
                        return count;
                }
        }
        kill(count->strace, SIGTERM);
        waitpid(count->strace, NULL, 0);
        free(count);
        return NULL;
}

/* A line is "% time, seconds, usecs/call, calls, [errors,] name". */
static void read_line(struct syscall_count *count, const char *line)
{
        char name[24], errors[24];
        unsigned long long calls;
        int fields = sscanf(line, "%*f %*f %*u %llu %23s %23s", &calls, errors, name);

        if (fields < 2)
                return;
        if (fields == 2)
                memcpy(name, errors, sizeof name);
        if (strcmp(name, "total") == 0 || count->kind_count == sizeof count->kinds / sizeof count->kinds[0])
                return;
        snprintf(count->kinds[count->kind_count].name, sizeof name, "%s", name);
        count->kinds[count->kind_count++].calls = calls;
}

void syscalls_end(struct syscall_count *count)
{
        char line[256];

        kill(count->strace, SIGINT);
        waitpid(count->strace, NULL, 0);
        FILE *file = fopen(count->path, "re");
        while (file != NULL && fgets(line, sizeof line, file) != NULL)
                read_line(count, line);
        if (file != NULL)
                fclose(file);
        unlink(count->path);
}
