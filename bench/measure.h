/* What a server costs: CPU time, memory, context switches. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct watched {
        pid_t pid;
        char
            cgroup[256]; /* folder of a cgroup of its own; empty: only the process and its threads are seen */
};

struct usage {
        double cpu_us;                   /* user and system */
        double runnable_us;              /* threads that live: ready to run, but without a core */
        uint64_t voluntary, involuntary; /* context switches of processes that live */
        uint64_t user_memory;            /* octets: private anonymous memory, shared pages in parts */
};

/* Makes an empty cgroup (version 2) below our own; false where that is not allowed. */
bool cgroup_make(const char *name, struct watched *ret_watched);
/* For a child to move itself there. */
bool cgroup_enter(const struct watched *watched);
/* Ends all of its processes at once, those that they have started included. */
void cgroup_kill(const struct watched *watched);
/* Octets that the kernel has taken for its objects, sockets among them: of the whole machine. */
uint64_t kernel_memory(void);
/* Once all of its processes have gone. */
void cgroup_remove(const struct watched *watched);

struct usage usage_read(const struct watched *watched);
const char *usage_source(const struct watched *watched);
