/* The floor server: what no server on this machine can beat by much. */
#pragma once

#include "bench/options.h"

/* Serves until the process is ended. */
int floor_command(const struct bench_options *options, int argument_count, char **arguments);
