/* gatepost log reveal|pseudonymise|new-key: pseudonyms in the log. */
#pragma once

int log_main(int argc, char **argv);
/* The usage, and behind an empty line what it does, and its exit statuses. */
extern const char log_help[];
