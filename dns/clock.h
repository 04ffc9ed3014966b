/* The one place that reads a clock. The core reads none, because it is told the time; dns/ is the lowest
 * layer that needs one. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* These count from some moment in the past, and never go back. */
uint64_t clock_monotonic_ns(void);
uint64_t clock_monotonic_us(void);
uint64_t clock_monotonic_ms(void);
/* This one may be some milliseconds behind, and costs less. */
uint64_t clock_monotonic_coarse_ms(void);
/* What the calling thread, and all threads together, have taken of the CPUs. */
uint64_t clock_thread_cpu_ns(void);
uint64_t clock_process_cpu_ns(void);
/* These count from 1970 in UTC. */
int64_t clock_wall_us(void);
int64_t clock_wall_ms(void);
int64_t clock_wall_s(void);

/* Notices when the clock on the wall is set; zeros are ready for use. */
struct clock_watch {
        int64_t ahead_ms; /* of the monotonic one; 0: nobody has looked yet */
};

/* By how many milliseconds it was set, forward or back, since the last call; 0 where that is less than a minute. What
 * a machine slept counts as well. */
int64_t clock_watch_jump_ms(struct clock_watch *watch);

/* Waits for the thread's end, at most until this moment of clock_monotonic_ms(), or as much later as the machine stood
 * still meanwhile. False when it runs still. */
bool clock_join_thread(pthread_t thread, uint64_t until_ms);
