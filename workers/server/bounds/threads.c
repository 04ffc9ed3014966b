/* Numbers of threads. */
#include "workers/server/bounds/threads.h"

#include <sched.h>

static uint32_t cores(void)
{
        cpu_set_t set;
        int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
        return count > 120 ? 120 : (uint32_t)count;
}

#define WORKERS_PER_ACCEPTOR 8 /* so many busy ones one acceptor keeps busy, as measured */

uint32_t threads_workers_wanted(const struct options *options)
{
        return options->workers == 0 ? cores() : (uint32_t)options->workers;
}

uint32_t threads_acceptors_wanted(const struct options *options, uint32_t worker_count)
{
        if (options->acceptors != OPTION_AUTO)
                return (uint32_t)options->acceptors;
        return (worker_count + WORKERS_PER_ACCEPTOR - 1) / WORKERS_PER_ACCEPTOR;
}
