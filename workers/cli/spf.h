/* The subcommand `gatepost spf`. */
#pragma once

/* argv[0] is the subcommand's name. Returns the exit status. */
int spf_main(int argc, char **argv);
