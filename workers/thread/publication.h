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

struct publication {
        _Atomic(struct published *) published;
        /* Owner: the publisher. */
        struct published *replaced;
        size_t pinner_count;
};

/* Publishes the first snapshot. False when memory is out; then the snapshot is still the caller's. */
bool publication_init(struct publication *publication, size_t pinner_count, struct snapshot *snapshot);
/* Frees everything; nothing may be pinned any more. */
void publication_end(struct publication *publication);
/* Publisher: takes over the snapshot. Waits for a grace period, some microseconds. False when memory is out,
 * with nothing changed. */
bool publication_publish(struct publication *publication, struct snapshot *snapshot);
/* Publisher: frees what was replaced and is no longer pinned; gives the number of those that are. */
size_t publication_reap(struct publication *publication);

/* Pinner: pins may nest, and must each be undone by the same pinner. */
struct published *publication_pin(struct publication *publication, size_t pinner);
void publication_unpin(struct published *published, size_t pinner);
