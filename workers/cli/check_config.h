/* The subcommand `gatepost check-config`. */
#pragma once

#include <stdbool.h>

/* argv[0] is the subcommand's name. Returns the exit status: 1 when the configuration has an error. */
int check_config_main(int argc, char **argv);
/* Tells what is wrong with a configuration that was just made: its text, lists in files, and certificates as far
 * as they are here. False: it has errors. */
bool check_config_tell(const char *path);
/* The usage, and behind an empty line what it does, and its exit statuses. */
extern const char check_config_help[];
