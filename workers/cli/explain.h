/* The subcommand `gatepost explain`. */
#pragma once

/* argv[0] is the subcommand's name. Returns the exit status. */
int explain_main(int argc, char **argv);
