/* The subcommand `gatepost spf`. */
#pragma once

/* argv[0] is the subcommand's name. Returns the exit status. */
int spf_main(int argc, char **argv);
/* The usage, and behind an empty line what it does, and its exit statuses. */
extern const char spf_help[];
