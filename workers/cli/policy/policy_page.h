/* The subcommand `gatepost policy-page`. */
#pragma once

/* argv[0] is the subcommand's name. Returns the exit status. */
int policy_page_main(int argc, char **argv);
/* The usage, and behind an empty line what it does, and its exit statuses. */
extern const char policy_page_help[];
