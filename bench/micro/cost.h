/* What the parts of gatepost-cost-bench share. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define COST_RUNS       5   /* the least of so many counts: others use the machine, too */
#define COST_GOAL_MS    5.0 /* beyond an input's octets */
#define COST_OCTETS_MAX ((1u << 20) - 1)

struct cost_choice {
        bool is_verbose;   /* a line for each input */
        bool is_once;      /* each text once, in the dearest way: for a profiler */
        const char *flood; /* this one alone; NULL: all */
};

double cost_cpu_ms(void);
/* Plays floods.def. Shows the dearest text and the dearest session; false when one is dearer than the goal. */
bool cost_floods(const struct cost_choice *choice);
