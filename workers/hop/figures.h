/* What is counted of each next hop: written by the hop thread that has the table, and read by anybody at any time. The
 * first FIGURES_MAX next hops that a thread meets have a row of their own, which they keep until the end. */
#pragma once

#include "conf/value/next_hop.h"
#include "core/base/count/counter.h"

#define FIGURES_MAX 64

enum figure {
#define FIGURE(name, kind, metric, help) FIGURE_##name,
#include "workers/hop/figures.def"
#undef FIGURE
        FIGURE_COUNT
};

struct figures {
        char name[NEXT_HOP_TEXT_MAX +
                  1]; /* terminated; as in deliver, without the weight; "": of all others */
        _Atomic uint64_t numbers[FIGURE_COUNT];
        uint64_t now[FIGURE_COUNT]; /* owner only: sums in the making, of kind NOW */
};

struct figures_table {
        _Atomic uint32_t count; /* rows with a name */
        /* That of the others is the last. It has no numbers of kind NOW. */
        struct figures rows[FIGURES_MAX + 1];
};

/* Of several threads together. */
struct figures_sum {
        const char *name; /* of the first table that has it */
        uint64_t numbers[FIGURE_COUNT];
};

/* Owner only: the row of this next hop, made if need be. */
struct figures *figures_of(struct figures_table *table, const struct next_hop *hop);
/* Adds a table to the first *count of FIGURES_MAX + 1 sums, which are one for each name. That of the others is
 * sums[FIGURES_MAX]. */
void figures_add(const struct figures_table *table, struct figures_sum *sums, size_t *count);
