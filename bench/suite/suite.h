/* gatepost-bench suite: figures that are no ratio to the floor in a scenario. Each case measures some of the
 * MEASURED rows of targets.def. */
#pragma once

#include "bench/options.h"

/* Returns the program's exit code, 1 when sessions have failed. */
int suite_command(const struct bench_options *options, int count, char **names);
