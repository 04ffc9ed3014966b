/* The floor server: what no server on this machine can beat by much. */
#pragma once

#include "bench/options.h"

/* Returns only when it cannot go on: a process of its own runs it. */
int floor_command(const struct bench_options *options, int argument_count, char **arguments);
