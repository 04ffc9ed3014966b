/* Places that questions share by the domains they are about, and who waits for one. Whatever a few domains
 * take, some places stay free: a domain may have as many as are left, so that one has half of them at most, two
 * have a third each, and a newcomer finds one. Those that wait take turns, domain by domain. An eighth is
 * reserved for urgent questions, whose turn comes before all others'. One thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SHARES 1024 /* of domains, by a keyed hash */
#define URGENT_SHARES                                                                                        \
        128 /* the first of them: the questions of a domain that are urgent have one of their own */

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
/* The share of a domain by its hash. */
uint32_t places_share(uint64_t hash, bool is_urgent);
/* One of `max` places is there for the share, and nobody of it waits. */
bool places_have_room(const struct places *places, uint32_t max, uint32_t share);
/* By the same rule, of `max` that may wait. */
bool places_may_wait(const struct places *places, uint32_t max, uint32_t share);
/* Fewer attempts are in order: others of the share wait, or others at all while no place is left. */
bool places_are_scarce(const struct places *places, uint32_t max, uint32_t share);
void places_take(struct places *places, uint32_t share);
void places_give(struct places *places, uint32_t share);
/* item->share and ->deadline_ms are set; those of a share come in the order of their deadlines. The item is
 * the places' until one of the next two gives it back. */
void places_wait(struct places *places, struct waiting *item);
/* Whose turn it is, with a place taken; NULL: nobody's. */
struct waiting *places_next(struct places *places, uint32_t max);
/* One that waits no longer, without a place; NULL: none, and *ret_next_ms is when the next one will be, or
 * UINT64_MAX. */
struct waiting *places_late(struct places *places, uint64_t now_ms, uint64_t *ret_next_ms);
