/* The system calls that a server makes under a load. */
#pragma once

#include "bench/measure.h"

#include <stdint.h>
#include <sys/types.h>

/* Counted by strace from syscalls_begin() to syscalls_end(). */
struct syscall_count {
        pid_t strace;
        char path[64];
        unsigned kind_count;
        struct {
                char name[24];
                uint64_t calls;
        } kinds[64];
};

/* Starts strace; NULL when that cannot be. */
struct syscall_count *syscalls_begin(const struct watched *watched);
/* Ends strace and reads the counts; the caller frees `count`. */
void syscalls_end(struct syscall_count *count);
