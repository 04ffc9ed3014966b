/* The bench's resolvers: the stub server as a process of its own, so that its CPU counts neither as a
 * server's nor as the generator's. */
#pragma once

#include "bench/options.h"

/* The port of one with bench/zones/bench.zone and the options' latency and loss; started when there is none,
 * it ends with us. Ends the program when that cannot be. */
uint16_t dns_port(const struct bench_options *options);
/* The address of a second one at port 53, for servers that know no other; "none" without DNS, and where that
 * port may not be had. */
const char *dns_resolver(const struct bench_options *options);
/* The number of questions that it has had so far. */
uint64_t dns_questions(const struct bench_options *options);
/* For reports: "warm: 256 clients and names a scenario, ..." */
const char *dns_describe(const struct bench_options *options);
