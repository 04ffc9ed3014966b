/* System calls that the filter refuses. The kernel sends the thread a signal in the place of the call; the handler
 * keeps what it was, and lets the call fail. */
#pragma once

#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>

/* What the filter does with such a call. Where the handler does not know how to let a call fail, the kernel does it,
 * and nobody tells. */
#if defined(__x86_64__) || defined(__aarch64__)
#define REFUSED_ACTION SCMP_ACT_TRAP
#else
#define REFUSED_ACTION SCMP_ACT_ERRNO(EPERM)
#endif

#define REFUSED_THREAD_MAX 16 /* a thread's name with its terminator, as the kernel keeps it */

/* System calls of one number. */
struct refusals {
        const char *call; /* the name, or "?" */
        uint64_t number, count;
        char thread[REFUSED_THREAD_MAX]; /* that has made the last one */
};

/* From now on they fail with EPERM, or, with `is_deadly`, end the process with a message. False with errno. */
bool refused_begin(bool is_deadly);
/* Main thread: gives refusals that it has not given before, of one number at a time. False when there are none. */
bool refused_next(struct refusals *ret_refusals);
