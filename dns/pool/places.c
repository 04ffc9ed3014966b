/* Shares of places, and turns. */
#include "dns/pool/places.h"

#include <stddef.h>

#define UNDIVIDED_MAX 31 /* so few are not divided */
#define RESERVED_PART 8

void places_init(struct places *places)
{
        *places = (struct places){0};
        places->urgent.last = &places->urgent.first;
        places->others.last = &places->others.first;
        for (size_t i = 0; i < SHARES; i++)
                places->shares[i].last = &places->shares[i].first;
}

uint32_t places_share(uint64_t hash, bool is_urgent)
{
        return is_urgent ? (uint32_t)(hash % URGENT_SHARES)
                         : URGENT_SHARES + (uint32_t)(hash % (SHARES - URGENT_SHARES));
}

static uint32_t left(uint32_t max, uint32_t taken, uint32_t share)
{
        if (share >= URGENT_SHARES)
                max -= max / RESERVED_PART;
        return taken < max ? max - taken : 0;
}

static bool is_within(uint32_t max, uint32_t taken, uint32_t own, uint32_t share)
{
        uint32_t others = left(max, taken, share);
        return max <= UNDIVIDED_MAX ? others > 0 : own < others;
}

bool places_have_room(const struct places *places, uint32_t max, uint32_t share)
{
        const struct share *own = &places->shares[share];
        return own->waiting == 0 && is_within(max, places->taken, own->taken, share);
}

bool places_may_wait(const struct places *places, uint32_t max, uint32_t share)
{
        return is_within(max, places->waiting, places->shares[share].waiting, share);
}

bool places_are_scarce(const struct places *places, uint32_t max, uint32_t share)
{
        return places->shares[share].waiting > 0 ||
               (places->waiting > 0 && left(max, places->taken, share) == 0);
}

void places_take(struct places *places, uint32_t share)
{
        places->taken++;
        places->shares[share].taken++;
}

void places_give(struct places *places, uint32_t share)
{
        places->taken--;
        places->shares[share].taken--;
}

/* ---- turns --------------------------------------------------------------------------------------------- */

static void turn_add(struct turns *turns, struct share *share)
{
        share->next = NULL;
        share->has_turn = true;
        *turns->last = share;
        turns->last = &share->next;
        turns->count++;
}

static struct share *turn_take(struct turns *turns)
{
        struct share *share = turns->first;

        turns->first = share->next;
        if (turns->first == NULL)
                turns->last = &turns->first;
        turns->count--;
        share->has_turn = false;
        return share;
}

static struct waiting *share_take(struct places *places, struct share *share)
{
        struct waiting *item = share->first;

        share->first = item->next;
        if (share->first == NULL)
                share->last = &share->first;
        share->waiting--;
        places->waiting--;
        return item;
}

void places_wait(struct places *places, struct waiting *item)
{
        struct share *share = &places->shares[item->share];

        item->next = NULL;
        *share->last = item;
        share->last = &item->next;
        share->waiting++;
        places->waiting++;
        if (!share->has_turn)
                turn_add(item->share < URGENT_SHARES ? &places->urgent : &places->others, share);
}

static struct waiting *turns_next(struct places *places, struct turns *turns, uint32_t max)
{
        for (uint32_t count = turns->count; count > 0; count--) {
                struct share *share = turn_take(turns);
                uint32_t number = (uint32_t)(share - places->shares);
                bool has_place = share->waiting > 0 && is_within(max, places->taken, share->taken, number);
                struct waiting *item = has_place ? share_take(places, share) : NULL;
                if (share->waiting > 0)
                        turn_add(turns, share);
                if (item != NULL)
                        return item;
        }
        return NULL;
}

struct waiting *places_next(struct places *places, uint32_t max)
{
        struct waiting *item = NULL;

        if (left(max, places->taken, 0) > 0)
                item = turns_next(places, &places->urgent, max);
        if (item == NULL && left(max, places->taken, URGENT_SHARES) > 0)
                item = turns_next(places, &places->others, max);
        if (item != NULL)
                places_take(places, item->share);
        return item;
}

static struct waiting *turns_late(struct places *places, const struct turns *turns, uint64_t now_ms,
                                  uint64_t *next_ms)
{
        for (struct share *share = turns->first; share != NULL; share = share->next) {
                if (share->waiting == 0)
                        continue;
                if (share->first->deadline_ms <= now_ms)
                        return share_take(places, share);
                if (share->first->deadline_ms < *next_ms)
                        *next_ms = share->first->deadline_ms;
        }
        return NULL;
}

struct waiting *places_late(struct places *places, uint64_t now_ms, uint64_t *ret_next_ms)
{
        *ret_next_ms = UINT64_MAX;
        if (places->waiting == 0)
                return NULL;
        struct waiting *item = turns_late(places, &places->urgent, now_ms, ret_next_ms);
        return item != NULL ? item : turns_late(places, &places->others, now_ms, ret_next_ms);
}
