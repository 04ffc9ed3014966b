/* A bar that fills up on standard error, for whoever waits at a terminal. */
#pragma once

#include "dns/clock.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#define PROGRESS_LENGTH 40
#define PROGRESS_MS     1000

/* `whole` 0: nobody knows how much there is. */
static inline void progress_show(const char *step, uint64_t done, uint64_t whole)
{
        static const char full[] = "########################################";
        unsigned length = whole == 0 ? 0 : (unsigned)(done * PROGRESS_LENGTH / whole);

        length = length > PROGRESS_LENGTH ? PROGRESS_LENGTH : length;
        fprintf(stderr, "\r%-8s [%-*.*s] ", step, PROGRESS_LENGTH, (int)length, full);
        if (whole > 0)
                fprintf(stderr, "%3u %%", length * 100 / PROGRESS_LENGTH);
        else if (done > 0)
                fprintf(stderr, "%" PRIu64, done);
        fflush(stderr);
}

/* True once a second. *told_ms is monotonic: when it was told last. */
static inline bool progress_is_due(uint64_t *told_ms)
{
        uint64_t now_ms = clock_monotonic_ms();

        if (now_ms - *told_ms < PROGRESS_MS)
                return false;
        *told_ms = now_ms;
        return true;
}
