/* The subcommand `gatepost checks`. */
#pragma once

/* argv[0] is the subcommand's name. Returns the exit status. */
int checks_main(int argc, char **argv);
