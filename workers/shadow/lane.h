/* The way of tapes from a worker to the thread that judges them again, and back: the worker fills memory that the
 * shadow pays for, and hands it over by a ring; the thread gives it back by another one. Nobody waits, and no call for
 * memory is on a session's way: what finds no room is counted, and not judged. */
#pragma once

#include "core/base/count/counter.h"
#include "core/base/ring.h"
#include "core/smtp/tape/tape.h"

#include <stdatomic.h>

#define SHADOW_TAPES_MAX 256 /* slots for those of a worker: about 3 MiB. A power of two */

/* A tape on its way. */
struct shadow_parcel {
        struct shadow_parcel *next; /* of those that lie idle */
        struct shadow_lane *lane;
        uint64_t epoch;
        struct span text; /* in it */
        struct tape tape; /* the octets behind it are the tape's */
};

struct shadow_item {
        struct shadow_parcel *parcel;
};

RING(shadow_ring, shadow_item, SHADOW_TAPES_MAX);

/* From a worker. */
struct shadow_lane {
        struct tape_sink sink;           /* first; its share is written by the main thread */
        const _Atomic uint64_t *epoch;   /* what was begun in another one is of no use */
        _Atomic uint64_t lost, too_long; /* sessions without a tape; written by the worker */
        _Atomic uint64_t outdated;       /* with one that is of no use any more; the same */
        char *_Atomic memory; /* of all parcels; NULL until the first start, and then there to the end */
        /* Owner: the worker. */
        _Alignas(64) struct shadow_parcel *idle;
        uint32_t used; /* parcels that have been lent once: the memory of others was never touched */
        _Alignas(64) struct shadow_ring ring;
        _Alignas(64) struct shadow_ring back;
};

void shadow_lane_init(struct shadow_lane *lane, const _Atomic uint64_t *epoch);
/* Main thread: nobody uses it any more. */
void shadow_lane_end(struct shadow_lane *lane);
/* Main thread: tapes may come from now on. False when memory is out. */
bool shadow_lane_open(struct shadow_lane *lane);
/* The consumer: the next one, or NULL. */
struct shadow_parcel *shadow_lane_take(struct shadow_lane *lane);
/* The consumer has no use for it any more. */
void shadow_parcel_return(struct shadow_parcel *parcel);
