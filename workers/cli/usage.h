/* How a subcommand tells that it was called wrongly. */
#pragma once

/* Exit status of a wrong call. */
#define USAGE_STATUS 2

/* On stderr: "gatepost: ", the message, and the first paragraph of `help`, which is the usage. Returns
 * USAGE_STATUS. */
int usage_fault(const char *help, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for what getopt_long() stumbled over: `result` is what it returned, ':' where a value is missing.
 * `argv[0]` is the subcommand's name. */
int usage_option_fault(const char *help, int result, char **argv);
