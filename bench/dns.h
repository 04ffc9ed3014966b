/* The bench's resolver: the stub server as a process of its own, so that its CPU counts neither as a
 * server's nor as the generator's. */
#pragma once

#include "bench/common.h"

/* Starts it, once, with bench/zones/bench.zone and the options' latency and loss; it ends with us. Ends the
 * program when that cannot be. */
uint16_t dns_port(const struct bench_options *options);
/* The address of a second one at port 53, for servers that know no other; "none" without DNS, and where that
 * port may not be had. */
const char *dns_resolver(const struct bench_options *options);
/* "warm: 256 clients and names a scenario, ..." */
const char *dns_describe(const struct bench_options *options);
