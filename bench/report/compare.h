/* gatepost-bench compare: the same work against each server. */
#pragma once

#include "bench/options.h"

/* Returns the program's exit code, 1 when sessions have failed. */
int compare_command(const struct bench_options *options, int argument_count, char **arguments);
