/* The clock, what is told of the machine and the programs, the end on a mistake, and the limit of descriptors. */
#include "bench/common.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define DESCRIPTORS_SPARE 200

uint64_t bench_now_ns(void)
{
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

const char *bench_commit(void)
{
        static const char commit[] =
#include "bench_commit.inc"
            ;
        return commit;
}

double bench_load(void)
{
        double load;
        return getloadavg(&load, 1) == 1 ? load : -1;
}

void bench_fail(const char *format, ...)
{
        va_list arguments;

        fflush(stdout);
        fputs("gatepost-bench: ", stderr);
        va_start(arguments, format);
        vfprintf(stderr, format, arguments);
        va_end(arguments);
        fputc('\n', stderr);
        exit(2);
}

void bench_raise_descriptors(uint64_t count)
{
        struct rlimit limit;
        rlim_t wanted = (rlim_t)count + DESCRIPTORS_SPARE;

        if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
                return;
        struct rlimit more = {wanted, wanted > limit.rlim_max ? wanted : limit.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &more) == 0)
                return;
        more = (struct rlimit){limit.rlim_max, limit.rlim_max};
        setrlimit(RLIMIT_NOFILE, &more);
}
