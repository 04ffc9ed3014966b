/* The subcommand `gatepost explain`. */
#pragma once

/* argv[0] is the subcommand's name. Returns the exit status. */
int explain_main(int argc, char **argv);
/* The usage, and behind an empty line what it does, and its exit statuses. */
extern const char explain_help[];
