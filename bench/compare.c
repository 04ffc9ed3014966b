#include "bench/common.h"
int compare_command(const struct bench_options *options)
{
        (void)options;
        return 1;
}
