/* The snapshot in force, and the older ones that somebody still uses. One thread, the publisher, publishes
 * and frees them, and tells those who pin old ones when there are too many. Each thread that uses snapshots is a
 * pinner with a number of its own, and registered with RCU. It takes the snapshot in force without a lock and
 * keeps it pinned as long as it likes. */
#pragma once

#include "conf/snapshot.h"

#include <stdatomic.h>

struct pin_count {
        _Alignas(64) _Atomic uint64_t pins; /* written by its pinner alone */
};

/* What is wanted of those who pin an old snapshot. */
enum published_age {
        PUBLISHED_YOUNG,   /* nothing: they may keep it as long as they like */
        PUBLISHED_OLD,     /* they are to leave it when they have finished what they are at */
        PUBLISHED_TOO_OLD, /* they are to leave it now */
};

struct published {
        struct snapshot *snapshot;
        uint64_t number; /* from 1, of those put; an address is used again */
        /* What others have made for it, such as the contexts of TLS; NULL: nothing. It ends before the snapshot. */
        void *companion;
        void (*companion_end)(void *companion);
        _Atomic int age;         /* enum published_age; written by the publisher */
        struct published *older; /* of those that were replaced; owner: the publisher */
        struct pin_count counts[];
};

struct publication {
        _Atomic(struct published *) published;
        _Atomic uint64_t agings; /* how often one has aged: pinners look anew then */
        /* Owner: the publisher. */
        struct published *replaced;
        size_t pinner_count;
};

/* Publishes the first snapshot. False when memory is out; then the snapshot is still the caller's. */
bool publication_init(struct publication *publication, size_t pinner_count, struct snapshot *snapshot);
/* Frees everything. Nothing may be pinned any more. */
void publication_end(struct publication *publication);
/* Publisher: what publication_put() needs. NULL when memory is out. Whoever thinks better of it gives it to free(). */
struct published *publication_prepare(const struct publication *publication, struct snapshot *snapshot);
/* Publisher: gives it a companion, which is the caller's until it is put in force. The first one takes its companion
 * before anybody pins it. */
void published_accompany(struct published *published, void *companion, void (*end)(void *companion));
/* Publisher: puts the snapshot in force and takes it over. It waits for a grace period of some microseconds. */
void publication_put(struct publication *publication, struct published *next);
/* Both. False when memory is out; then nothing has changed. */
bool publication_publish(struct publication *publication, struct snapshot *snapshot);
/* Publisher: frees the replaced snapshots that nobody pins, and returns how many are pinned still. */
size_t publication_reap(struct publication *publication);

/* Publisher: of those in use, the one in force among them, the `max` newest are young, and as many more are old
 * only. True when any has aged by that. */
bool publication_age(struct publication *publication, size_t max);

/* Pinner: what is wanted of it. */
static inline enum published_age published_age(const struct published *published)
{
        return (enum published_age)atomic_load_explicit(&published->age, memory_order_relaxed);
}
static inline uint64_t publication_agings(const struct publication *publication)
{
        return atomic_load_explicit(&publication->agings, memory_order_acquire);
}

/* Pinner: pins the snapshot in force. Pins may nest, and each must be undone by the same pinner. */
struct published *publication_pin(struct publication *publication, size_t pinner);
void publication_unpin(struct published *published, size_t pinner);
