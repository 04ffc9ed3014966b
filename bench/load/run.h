/* gatepost-bench run: scenarios against one server, one after the other. */
#pragma once

#include "bench/options.h"

/* Returns the program's exit code, 1 when sessions have failed. */
int run_command(const struct bench_options *options, int count, char **names);
