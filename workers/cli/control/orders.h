/* Subcommands that are one order to a running server. */
#pragma once

extern const char reload_help[], status_help[], drain_help[], upgrade_help[];
int reload_main(int argc, char **argv);
int status_main(int argc, char **argv);
int drain_main(int argc, char **argv);
int upgrade_main(int argc, char **argv);
