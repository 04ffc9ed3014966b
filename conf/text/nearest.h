/* The nearest of several names, for "did you mean". Only conf/ includes this. */
#pragma once

#include <stddef.h>

/* The best match so far. */
struct nearest {
        const char *wanted;
        const char *name; /* NULL: none is near enough; borrowed from the caller */
        size_t distance;
};

/* Offers a name. It can be the nearest when at most a third of the wanted letters are wrong, missing, too
 * many or swapped. */
void nearest_offer(struct nearest *nearest, const char *name);
