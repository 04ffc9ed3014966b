/* Hashes of 128 bits under a secret: without the secret nobody finds two texts that are alike in them. They are for
 * tables in memory, and for nobody else to see. */
#pragma once

#include "core/base/text.h"

#define KEYED_SECRET_OCTETS 192 /* at random */

struct keyed_secret {
        uint8_t octets[KEYED_SECRET_OCTETS];
};

struct key128 {
        uint8_t octets[16];
};

/* One hash under way. It lies where it was begun, until its end; the secret outlives it. */
struct keyed;

/* Octets of memory for one, wherever that lies. */
#define KEYED_ROOM ((size_t)704)

/* In memory of KEYED_ROOM octets. */
struct keyed *keyed_begin(void *memory, const struct keyed_secret *secret);
void keyed_add(struct keyed *keyed, struct span octets);
struct key128 keyed_end(const struct keyed *keyed);
/* Of these parts in their order, however they would be joined. */
struct key128 keyed_hash(const struct keyed_secret *secret, const struct span *parts, size_t count);

static inline bool key128_equals(const struct key128 *left, const struct key128 *right)
{
        return memcmp(left->octets, right->octets, sizeof left->octets) == 0;
}
static inline struct span key128_span(const struct key128 *key)
{
        return span_of((const char *)key->octets, sizeof key->octets);
}
