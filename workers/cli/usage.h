/* How a subcommand reads its options, and how it tells that it was called wrongly. All of them do so here, so that they
 * are called alike. */
#pragma once

#include <stdbool.h>

/* Exit status of a wrong call. */
#define USAGE_STATUS 2

/* On stderr: "gatepost: ", the message, and the first paragraph of `help`, which is the usage. Returns
 * USAGE_STATUS. */
int usage_fault(const char *help, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for what getopt_long() stumbled over: `result` is what it returned, ':' where a value is missing.
 * `argv[0]` is the subcommand's name. */
int usage_option_fault(const char *help, int result, char **argv);

/* A table of them ends with a row without a name. */
struct usage_option {
        const char *name;       /* "config" for --config, which is -c too */
        const char **ret_value; /* for an option with a value; the last one counts */
        bool *ret_is_given;     /* for one without */
};

/* Reads them in whatever order they stand among the words that are no options, of which `words_max` may be there
 * and which come to argv[optind] and behind. argv[0] is the subcommand's name. False when it was called wrongly:
 * that is told then, with the usage from `help`. */
bool usage_read_options(const char *help, const struct usage_option *options, int words_max, int argc,
                        char **argv);
