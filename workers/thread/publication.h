/* The snapshot in force, and the older ones that somebody still uses. One thread, the publisher, publishes
 * and frees them. Each thread that uses snapshots is a pinner with a number of its own, and registered with
 * RCU. It takes the snapshot in force without a lock and keeps it pinned as long as it likes. */
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
/* Frees everything. Nothing may be pinned any more. */
void publication_end(struct publication *publication);
/* Publisher: puts the snapshot in force and takes it over. It waits for a grace period of some microseconds.
 * False when memory is out; then nothing has changed. */
bool publication_publish(struct publication *publication, struct snapshot *snapshot);
/* Publisher: frees the replaced snapshots that nobody pins, and returns how many are pinned still. */
size_t publication_reap(struct publication *publication);

/* Pinner: pins the snapshot in force. Pins may nest, and each must be undone by the same pinner. */
struct published *publication_pin(struct publication *publication, size_t pinner);
void publication_unpin(struct published *published, size_t pinner);
