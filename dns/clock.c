/* The kernel's clocks. */
#include "dns/clock.h"

#include <stdlib.h>
#include <time.h>

#define JUMP_MS     60000
#define JOIN_MIN_MS 50 /* also where others have used the time up */
/* Of a pause of one. What is more was time in which the machine stood still, and the thread with it. */
#define JOIN_PAUSE_MAX_MS 100

static uint64_t read_ns(clockid_t clock)
{
        struct timespec now;
        clock_gettime(clock, &now);
        return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int64_t read_us(clockid_t clock)
{
        return (int64_t)(read_ns(clock) / 1000);
}

uint64_t clock_monotonic_ns(void)
{
        return read_ns(CLOCK_MONOTONIC);
}

uint64_t clock_thread_cpu_ns(void)
{
        return read_ns(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t clock_process_cpu_ns(void)
{
        return read_ns(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t clock_monotonic_us(void)
{
        return (uint64_t)read_us(CLOCK_MONOTONIC);
}

uint64_t clock_monotonic_ms(void)
{
        return clock_monotonic_us() / 1000;
}

uint64_t clock_monotonic_coarse_ms(void)
{
        return (uint64_t)read_us(CLOCK_MONOTONIC_COARSE) / 1000;
}

int64_t clock_wall_us(void)
{
        return read_us(CLOCK_REALTIME);
}

int64_t clock_wall_ms(void)
{
        return clock_wall_us() / 1000;
}

int64_t clock_wall_s(void)
{
        return clock_wall_us() / 1000000;
}

int64_t clock_watch_jump_ms(struct clock_watch *watch)
{
        int64_t before_ms = watch->ahead_ms;

        watch->ahead_ms = clock_wall_ms() - (int64_t)clock_monotonic_ms();
        int64_t jump_ms = before_ms == 0 ? 0 : watch->ahead_ms - before_ms;
        return llabs(jump_ms) < JUMP_MS ? 0 : jump_ms;
}

/* By looking again and again: ThreadSanitizer knows no join that waits by this clock, and the other clock may be
 * set. */
bool clock_join_thread(pthread_t thread, uint64_t until_ms)
{
        uint64_t now_ms = clock_monotonic_ms();

        if (until_ms < now_ms + JOIN_MIN_MS)
                until_ms = now_ms + JOIN_MIN_MS;
        while (pthread_tryjoin_np(thread, NULL) != 0) {
                uint64_t before_ms = now_ms;
                if (now_ms >= until_ms)
                        return false;
                nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
                now_ms = clock_monotonic_ms();
                if (now_ms - before_ms > JOIN_PAUSE_MAX_MS)
                        until_ms += now_ms - before_ms - JOIN_PAUSE_MAX_MS;
        }
        return true;
}
