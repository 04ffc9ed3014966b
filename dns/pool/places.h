/* Places that questions share by the domains they are about, and who waits for one. Whatever a few domains
 * take, some places stay free: a domain may have as many as are left, so that one has half of them at most, two
 * have a third each, and a newcomer finds one. Those that wait take turns, domain by domain. An eighth is
 * reserved for urgent questions, whose turn comes before all others'. Places belong to one thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SHARES        1024 /* of domains, by a keyed hash */
#define URGENT_SHARES 128  /* the first ones: the urgent questions of a domain have a share of their own */

struct waiting {
        struct waiting *next;
        uint64_t deadline_ms;
        uint32_t share;
};

/* What one domain takes of the places. */
struct share {
        uint32_t taken, waiting;
        struct waiting *first, **last;
        struct share *next; /* in the list of turns */
        bool has_turn;
};

struct turns {
        struct share *first, **last;
        uint32_t count;
};

struct places {
        uint32_t taken, waiting;
        struct share shares[SHARES];
        struct turns urgent, others; /* of shares in which somebody waits */
};

void places_init(struct places *places);
/* Returns the share of a domain by its hash. */
uint32_t places_share(uint64_t hash, bool is_urgent);
/* True when one of `max` places is there for the share, and nobody of it waits. */
bool places_have_room(const struct places *places, uint32_t max, uint32_t share);
/* True when, by the same rule, one of the share may be among the `max` that wait. */
bool places_may_wait(const struct places *places, uint32_t max, uint32_t share);
/* True when fewer attempts are in order, because others of the share wait, or others at all while no place is
 * left. */
bool places_are_scarce(const struct places *places, uint32_t max, uint32_t share);
void places_take(struct places *places, uint32_t share);
void places_give(struct places *places, uint32_t share);
/* Lets an item wait. Its share and deadline_ms are set, and those of a share come in the order of their
 * deadlines. The item belongs to the places until one of the next two functions gives it back. */
void places_wait(struct places *places, struct waiting *item);
/* Takes a place for the item whose turn it is, and returns that item. NULL when it is nobody's turn. */
struct waiting *places_next(struct places *places, uint32_t max);
/* Returns an item whose deadline has passed, and which gets no place. NULL when there is none; then
 * *ret_next_ms is when there will be one, or UINT64_MAX when nobody waits. */
struct waiting *places_late(struct places *places, uint64_t now_ms, uint64_t *ret_next_ms);
