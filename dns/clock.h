/* The one place that reads a clock. The core reads none, because it is told the time; dns/ is the lowest
 * layer that needs one. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* These count from some moment in the past, and never go back. */
uint64_t clock_monotonic_us(void);
uint64_t clock_monotonic_ms(void);
/* This one may be some milliseconds behind, and costs less. */
uint64_t clock_monotonic_coarse_ms(void);
/* These count from 1970 in UTC. */
int64_t clock_wall_us(void);
int64_t clock_wall_ms(void);
int64_t clock_wall_s(void);

/* Waits for the thread's end, at most until this moment of clock_monotonic_ms(). False when it runs still. */
bool clock_join_thread(pthread_t thread, uint64_t until_ms);
