/* gatepost feed. */
#pragma once

int feed_main(int argc, char **argv);
/* The usage, and behind an empty line what it does, and its exit statuses. */
extern const char feed_help[];
