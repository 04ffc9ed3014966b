/* Names of threads, as top -H, perf and gdb show them. The main thread keeps the program's own: it names the
 * process. */
#pragma once

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>

#define THREAD_NAME_SIZE 16 /* the kernel's bound, with a terminator */

/* Names the calling thread "worker-3". */
static inline void thread_set_name(const char *kind, uint32_t number)
{
        char name[THREAD_NAME_SIZE];

        snprintf(name, sizeof name, "%s-%u", kind, number % 1000);
        pthread_setname_np(pthread_self(), name);
}
