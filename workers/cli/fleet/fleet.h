/* gatepost fleet status|forget: which configuration each machine of a fleet has in force, and how it does with it. */
#pragma once

int fleet_main(int argc, char **argv);
/* The usage, and behind an empty line what it does, and its exit statuses. */
extern const char fleet_help[];
