/* The subcommand `gatepost check-config`. */
#pragma once

/* argv[0] is the subcommand's name. Returns the exit status: 1 when the configuration has an error. */
int check_config_main(int argc, char **argv);
/* The usage, and behind an empty line what it does, and its exit statuses. */
extern const char check_config_help[];
