/* sort(1), which sorts more lines than memory holds, as a child process. */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

struct sorter {
        pid_t process;
        FILE *in;  /* the lines go here; NULL from sorter_turn() on */
        FILE *out; /* and come from here, in the order of their octets */
};

/* False, with errno, when it cannot be started. `folder` takes its files. */
bool sorter_begin(struct sorter *sorter, const char *folder, const char *memory);
/* All lines are there; false, with errno, when some were not taken. Nothing comes out before. */
bool sorter_turn(struct sorter *sorter);
/* Ends it, whatever it is at. True when all lines have been sorted and read. */
bool sorter_end(struct sorter *sorter);
