/* What a server costs: CPU time, memory, context switches. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct watched {
        pid_t pid;
        /* The folder of its own cgroup; when that is empty, only the process and its threads are seen. */
        char cgroup[256];
};

struct usage {
        double cpu_us; /* user and system */
        /* Time in which threads that still live were ready to run but had no core. */
        double runnable_us;
        /* Context switches of processes that still live. */
        uint64_t voluntary, involuntary;
        /* Octets of private anonymous memory, with a part of each shared page. */
        uint64_t user_memory;
};

/* Makes an empty cgroup (version 2) below our own; false where that is not allowed. */
bool cgroup_make(const char *name, struct watched *ret_watched);
/* Moves the calling process there; true also when there is none. */
bool cgroup_enter(const struct watched *watched);
/* Ends all of its processes at once, those that they have started included. */
void cgroup_kill(const struct watched *watched);
/* The octets that the kernel of the whole machine has taken for its objects, sockets among them. */
uint64_t kernel_memory(void);
/* Waits for its processes to go, which were killed before. */
void cgroup_remove(const struct watched *watched);

struct usage usage_read(const struct watched *watched);
/* Where usage_read() has the CPU time from: "cgroup", "/proc/PID" or "none". */
const char *usage_source(const struct watched *watched);
