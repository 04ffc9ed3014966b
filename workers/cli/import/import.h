/* gatepost import. */
#pragma once

int import_main(int argc, char **argv);
/* The usage, and behind an empty line what it does, and its exit statuses. */
extern const char import_help[];
