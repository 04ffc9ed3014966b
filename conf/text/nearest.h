/* "Did you mean": the nearest of several names; for conf/ only. */
#pragma once

#include <stddef.h>

/* The best match so far. */
struct nearest {
        const char *wanted;
        const char *name; /* NULL: none is near enough; borrowed from the caller */
        size_t distance;
};

/* Puts `name` in the running: at most a third of the wanted letters may be wrong, missing, too many or
 * swapped. */
void nearest_offer(struct nearest *nearest, const char *name);
