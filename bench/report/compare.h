/* gatepost-bench compare: the same work against each server. */
#pragma once

#include "bench/options.h"

/* 1 when sessions have failed. */
int compare_command(const struct bench_options *options, int argument_count, char **arguments);
