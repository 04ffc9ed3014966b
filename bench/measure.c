/* CPU from a cgroup where one can be made (multi-process servers escape sums over processes), else from
 * /proc. */
#include "bench/measure.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LINE_SIZE    512
#define PIDS_MAX     4096
#define REMOVE_TRIES 500 /* of 10 ms */

/* ---- cgroup -------------------------------------------------------------------------------------------- */

/* Finds where the version 2 hierarchy is mounted. */
static bool find_cgroup_mount(char *ret_path, size_t size)
{
        char line[LINE_SIZE], path[96];
        FILE *mounts = fopen("/proc/self/mountinfo", "re");
        bool is_found = false;

        while (mounts != NULL && !is_found && fgets(line, sizeof line, mounts) != NULL)
                if (strstr(line, " - cgroup2 ") != NULL && sscanf(line, "%*s %*s %*s %*s %95s", path) == 1) {
                        snprintf(ret_path, size, "%s", path);
                        is_found = true;
                }
        if (mounts != NULL)
                fclose(mounts);
        return is_found;
}

static bool find_own_cgroup(char *ret_path, size_t size)
{
        char line[LINE_SIZE];
        FILE *own = fopen("/proc/self/cgroup", "re");
        bool is_found = false;

        while (own != NULL && !is_found && fgets(line, sizeof line, own) != NULL)
                if (strncmp(line, "0::", 3) == 0) {
                        line[strcspn(line, "\n")] = '\0';
                        snprintf(ret_path, size, "%.*s", (int)size - 1, line + 3);
                        is_found = true;
                }
        if (own != NULL)
                fclose(own);
        return is_found;
}

bool cgroup_make(const char *name, struct watched *ret_watched)
{
        char mount[96], own[96], path[sizeof ret_watched->cgroup];

        if (!find_cgroup_mount(mount, sizeof mount) || !find_own_cgroup(own, sizeof own))
                return false;
        snprintf(path, sizeof path, "%s%s/gatepost-bench-%d-%s", mount, strcmp(own, "/") == 0 ? "" : own,
                 (int)getpid(), name);
        if (mkdir(path, 0755) != 0)
                return false;
        memcpy(ret_watched->cgroup, path, sizeof path);
        return true;
}

bool cgroup_enter(const struct watched *watched)
{
        char path[LINE_SIZE];

        if (watched->cgroup[0] == '\0')
                return true;
        snprintf(path, sizeof path, "%s/cgroup.procs", watched->cgroup);
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        bool is_in = fd >= 0 && write(fd, "0", 1) == 1;
        close(fd);
        return is_in;
}

void cgroup_kill(const struct watched *watched)
{
        char path[LINE_SIZE];

        if (watched->cgroup[0] == '\0')
                return;
        snprintf(path, sizeof path, "%s/cgroup.kill", watched->cgroup);
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd >= 0 && write(fd, "1", 1) != 1)
                fprintf(stderr, "cannot end the processes in %s\n", watched->cgroup);
        close(fd);
}

void cgroup_remove(const struct watched *watched)
{
        if (watched->cgroup[0] == '\0')
                return;
        /* What was killed needs a moment to go. */
        for (int i = 0; i < REMOVE_TRIES && rmdir(watched->cgroup) != 0 && errno == EBUSY; i++)
                nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

/* ---- usage --------------------------------------------------------------------------------------------- */

/* The number behind `key` at the begin of a line; 0 when there is none. */
static uint64_t number_of(const char *path, const char *key)
{
        char line[LINE_SIZE];
        uint64_t number = 0;
        FILE *file = fopen(path, "re");

        while (file != NULL && fgets(line, sizeof line, file) != NULL)
                if (strncmp(line, key, strlen(key)) == 0) {
                        number = strtoull(line + strlen(key), NULL, 10);
                        break;
                }
        if (file != NULL)
                fclose(file);
        return number;
}

static unsigned pids_of(const struct watched *watched, pid_t *pids)
{
        char path[LINE_SIZE], line[32];
        unsigned count = 0;

        if (watched->cgroup[0] == '\0') {
                pids[0] = watched->pid;
                return 1;
        }
        snprintf(path, sizeof path, "%s/cgroup.procs", watched->cgroup);
        FILE *file = fopen(path, "re");
        while (file != NULL && count < PIDS_MAX && fgets(line, sizeof line, file) != NULL)
                pids[count++] = (pid_t)strtol(line, NULL, 10);
        if (file != NULL)
                fclose(file);
        return count;
}

/* utime and stime hold the dead threads too; they are scaled to the scheduler's exact sum. */
static double process_cpu_us(pid_t pid)
{
        char path[64], line[LINE_SIZE];
        unsigned long user = 0, system = 0;

        snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
        FILE *file = fopen(path, "re");
        if (file != NULL && fgets(line, sizeof line, file) != NULL && strrchr(line, ')') != NULL)
                sscanf(strrchr(line, ')'), ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                       &system);
        if (file != NULL)
                fclose(file);
        return (double)(user + system) * 1e6 / (double)sysconf(_SC_CLK_TCK);
}

/* The second number of the file is the nanoseconds of waiting on a run queue. */
static double runnable_us(const char *path)
{
        unsigned long long running_ns, runnable_ns = 0;
        FILE *file = fopen(path, "re");

        if (file != NULL && fscanf(file, "%llu %llu", &running_ns, &runnable_ns) != 2)
                runnable_ns = 0;
        if (file != NULL)
                fclose(file);
        return (double)runnable_ns / 1000;
}

static void add_threads(pid_t pid, struct usage *usage)
{
        char path[LINE_SIZE];
        struct dirent *entry;

        snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
        DIR *tasks = opendir(path);
        while (tasks != NULL && (entry = readdir(tasks)) != NULL) {
                if (entry->d_name[0] == '.')
                        continue;
                snprintf(path, sizeof path, "/proc/%d/task/%s/status", (int)pid, entry->d_name);
                usage->voluntary += number_of(path, "voluntary_ctxt_switches:");
                usage->involuntary += number_of(path, "nonvoluntary_ctxt_switches:");
                snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", (int)pid, entry->d_name);
                usage->runnable_us += runnable_us(path);
        }
        if (tasks != NULL)
                closedir(tasks);
}

struct usage usage_read(const struct watched *watched)
{
        struct usage usage = {0};
        static pid_t pids[PIDS_MAX];
        char path[LINE_SIZE];
        unsigned count = pids_of(watched, pids);

        /* CPU comes first, because the rest takes a while with hundreds of processes. */
        if (watched->cgroup[0] != '\0') {
                snprintf(path, sizeof path, "%s/cpu.stat", watched->cgroup);
                usage.cpu_us = (double)number_of(path, "usage_usec");
        }
        for (unsigned i = 0; i < count; i++) {
                add_threads(pids[i], &usage);
                if (watched->cgroup[0] == '\0')
                        usage.cpu_us += process_cpu_us(pids[i]);
                snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pids[i]);
                usage.user_memory += number_of(path, "Pss_Anon:") * 1024;
        }
        return usage;
}

uint64_t kernel_memory(void)
{
        return number_of("/proc/meminfo", "Slab:") * 1024;
}

const char *usage_source(const struct watched *watched)
{
        return watched->cgroup[0] != '\0' ? "cgroup" : watched->pid != 0 ? "/proc/PID" : "none";
}
