/* The subcommand `gatepost serve`. */
#pragma once

/* argv[0] is the subcommand's name. Returns the exit status, when the server has been told to stop. */
int serve_main(int argc, char **argv);
/* The usage, and behind an empty line what it does, and its exit statuses. */
extern const char serve_help[];
