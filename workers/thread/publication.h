/* The snapshot in force, and the older ones that somebody still uses. One thread publishes and frees; pinners
 * (one number for each thread that uses snapshots, registered with RCU) take the one in force without a lock
 * and keep it pinned as long as they like. */
#pragma once

#include "conf/snapshot.h"

#include <stdatomic.h>

struct pin_count {
        _Alignas(64) _Atomic uint64_t pins; /* written by its pinner alone */
};

struct published {
        struct snapshot *snapshot;
        struct published *older; /* of those that were replaced; owner: the publisher */
        struct pin_count counts[];
};

struct current {
        _Atomic(struct published *) published;
        /* Owner: the publisher. */
        struct published *replaced;
        size_t pinner_count;
};

/* Publishes the first snapshot. False when memory is out; then the snapshot is still the caller's. */
bool current_init(struct current *current, size_t pinner_count, struct snapshot *snapshot);
/* Frees everything; nothing may be pinned any more. */
void current_end(struct current *current);
/* Publisher: takes over the snapshot. Waits for a grace period, some microseconds. False when memory is out,
 * with nothing changed. */
bool current_publish(struct current *current, struct snapshot *snapshot);
/* Publisher: frees what was replaced and is no longer pinned; gives the number of those that are. */
size_t current_reap(struct current *current);

/* Pinner: pins may nest, and must each be undone by the same pinner. */
struct published *current_pin(struct current *current, size_t pinner);
void current_unpin(struct published *published, size_t pinner);
