/* The memory that there is: of the machine, or of the control group that the process is in, if that has less. */
#include "workers/server/bounds/memory.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SHARE      4 /* by default a quarter may be clients' */
#define BUDGET_MIN (UINT64_C(1) << 20)

static uint64_t machine_memory(void)
{
        long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
        return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : UINT64_MAX;
}

/* The number in the file; UINT64_MAX when there is none, as in "max". */
static uint64_t number_in(const char *path)
{
        unsigned long long number;
        FILE *file = fopen(path, "re");

        if (file == NULL)
                return UINT64_MAX;
        bool is_number = fscanf(file, "%llu", &number) == 1;
        fclose(file);
        return is_number ? number : UINT64_MAX;
}

/* Of version 2, where each group is bounded by those above it. */
static uint64_t group_memory(void)
{
        char line[PATH_MAX], path[PATH_MAX + 64];
        FILE *file = fopen("/proc/self/cgroup", "re");
        uint64_t least = UINT64_MAX;

        if (file == NULL)
                return UINT64_MAX;
        bool is_found = false;
        while (!is_found && fgets(line, sizeof line, file) != NULL)
                is_found = strncmp(line, "0::/", 4) == 0;
        fclose(file);
        if (!is_found)
                return UINT64_MAX;
        line[strcspn(line, "\n")] = '\0';
        for (char *end = line + strlen(line); end != NULL; end = strrchr(line + 3, '/')) {
                *end = '\0';
                snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.max", line + 3);
                uint64_t max = number_in(path);
                if (max < least)
                        least = max;
        }
        return least;
}

void memory_bound(struct budget *budget, const struct options *options)
{
        uint64_t max = options->client_memory_max_octets, machine = machine_memory(), group = group_memory();

        if (max == 0)
                max = (group < machine ? group : machine) / SHARE;
        budget_set(budget, max < BUDGET_MIN ? BUDGET_MIN : max, options->stress_at);
}
