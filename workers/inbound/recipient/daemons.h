/* The daemons that a worker asks, each with its pool: they outlive the configuration that named them. */
#pragma once

#include "workers/inbound/recipient/pool.h"

struct daemon {
        struct pool *pool; /* NULL: the place is free */
        uint64_t told_ms;  /* when the log was told of a failure */
        char name[SOCKETMAP_PATH_MAX + 8];
};

/* All 0 at first. */
struct daemons {
        struct daemon at[SOCKETMAP_COUNTERS_MAX];
};

/* NULL when memory is out, or all places have connections to others. */
struct daemon *daemons_find(struct daemons *daemons, struct streams *streams,
                            const struct socketmap_daemon *wanted);
void daemons_end(struct daemons *daemons);
