/* What all parts of the bench share: the clock, the end on a mistake, the limit of descriptors. */
#pragma once

#include "core/base/expect.h"

#include <stdint.h>

uint64_t bench_now_ns(void);
/* The commit that the programs are built of; with a "+" behind it, what was changed since, too. */
const char *bench_commit(void);
/* How many threads wanted to run in the last minute, the bench's own included; less than 0: unknown. */
double bench_load(void);
/* Ends the program after a mistake of the caller or the machine, with the text on stderr. */
__attribute__((noreturn, format(printf, 1, 2))) void bench_fail(const char *format, ...);
/* Raises the limit of descriptors for `count` connections and some more, as far as the machine allows. */
void bench_raise_descriptors(uint64_t count);
