/* gatepost greylist list|allow|forget: what the greylist remembers, looked at and changed beside a running
 * server. */
#pragma once

int greylist_main(int argc, char **argv);
/* The usage, and behind an empty line what it does, and its exit statuses. */
extern const char greylist_help[];
