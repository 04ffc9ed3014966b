/* A parcel is the worker's while it lies idle or is lent to a session, and the consumer's between the two rings. */
#include "workers/shadow/lane.h"

#include "core/base/expect.h"

#include <stdlib.h>

#define PARCELS     (SHADOW_TAPES_MAX - 1) /* a ring keeps one slot empty, so there is always room in both */
#define PARCEL_SIZE ((sizeof(struct shadow_parcel) + TAPE_MAX + 63) / 64 * 64)
#define PARCEL_OF(member)                                                                                    \
        ((struct shadow_parcel *)(void *)((char *)(member)-offsetof(struct shadow_parcel, tape)))

static uint64_t epoch_of(const struct shadow_lane *lane)
{
        return atomic_load_explicit(lane->epoch, memory_order_relaxed);
}

/* Those used last come first: so few sessions at a time use little memory. */
static struct shadow_parcel *find(struct shadow_lane *lane)
{
        char *memory = atomic_load_explicit(&lane->memory, memory_order_acquire);
        struct shadow_parcel *parcel = lane->idle;
        struct shadow_item item;

        if (parcel != NULL)
                lane->idle = parcel->next;
        else if (shadow_ring_take(&lane->back, &item))
                parcel = item.parcel;
        else if (memory != NULL && lane->used < PARCELS)
                parcel = (struct shadow_parcel *)(void *)(memory + PARCEL_SIZE * lane->used++);
        return parcel;
}

static struct tape *lend(struct tape_sink *sink)
{
        struct shadow_lane *lane = (struct shadow_lane *)sink;
        struct shadow_parcel *parcel = find(lane);

        if (parcel == NULL) {
                counter_add(&lane->lost, 1);
                return NULL;
        }
        parcel->lane = lane;
        parcel->epoch = epoch_of(lane);
        return &parcel->tape;
}

static void give_back(struct tape_sink *sink, struct tape *tape, struct span octets)
{
        struct shadow_lane *lane = (struct shadow_lane *)sink;
        struct shadow_parcel *parcel = PARCEL_OF(tape);

        parcel->text = octets;
        counter_add(&lane->too_long, tape->text.overflowed);
        if (octets.length > 0 && parcel->epoch == epoch_of(lane)) {
                expect(shadow_ring_put(&lane->ring, &(struct shadow_item){parcel}));
                return;
        }
        counter_add(&lane->outdated, octets.length > 0);
        parcel->next = lane->idle;
        lane->idle = parcel;
}

void shadow_lane_init(struct shadow_lane *lane, const _Atomic uint64_t *epoch)
{
        *lane = (struct shadow_lane){.sink = {.lend = lend, .give_back = give_back}, .epoch = epoch};
        shadow_ring_init(&lane->ring);
        shadow_ring_init(&lane->back);
}

void shadow_lane_end(struct shadow_lane *lane)
{
        free(atomic_load(&lane->memory));
}

bool shadow_lane_open(struct shadow_lane *lane)
{
        if (atomic_load(&lane->memory) != NULL)
                return true;
        char *memory = aligned_alloc(64, PARCELS * PARCEL_SIZE);
        atomic_store_explicit(&lane->memory, memory, memory_order_release);
        return memory != NULL;
}

struct shadow_parcel *shadow_lane_take(struct shadow_lane *lane)
{
        struct shadow_item item;
        return shadow_ring_take(&lane->ring, &item) ? item.parcel : NULL;
}

void shadow_parcel_return(struct shadow_parcel *parcel)
{
        expect(shadow_ring_put(&parcel->lane->back, &(struct shadow_item){parcel}));
}
