/* The one place that reads a clock. core/ reads none, it is told the time; dns/ is the lowest layer that
 * needs one. */
#pragma once

#include <stdint.h>

/* Since some moment in the past; they never go back. */
uint64_t clock_monotonic_us(void);
uint64_t clock_monotonic_ms(void);
/* The same, some milliseconds behind at most, for less. */
uint64_t clock_monotonic_coarse_ms(void);
/* Since 1970, UTC. */
int64_t clock_wall_us(void);
int64_t clock_wall_ms(void);
int64_t clock_wall_s(void);
