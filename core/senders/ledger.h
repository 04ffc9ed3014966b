/* What is remembered of clients: a table of fixed size that all threads use without a lock. A newcomer takes
 * the place of whoever is least worth keeping in its set, so a flood of strangers costs no memory. The hash
 * is keyed: nobody can choose whom to collide with.
 *
 * A place has words of 48 bits. Each carries a mark of its client, so a word that a former client of the
 * place left behind reads as 0 and is never cleared: taking a place is one exchange of its tag. Errors,
 * all rare: what is noted while the place goes to another is lost; two threads that bring a client at the
 * same moment may give it two places, of which the later one is not seen; a stranger's word passes for
 * one's own once in 65536 places taken. */
#pragma once

#include "core/base/address.h"

#include <stdatomic.h>

#define LEDGER_WAYS  8
#define LEDGER_WORDS 8 /* a cache line */

struct ledger_set {
        _Alignas(64) _Atomic uint64_t tags[LEDGER_WAYS];
        _Atomic uint64_t words[LEDGER_WAYS][LEDGER_WORDS];
};

struct ledger {
        struct ledger_set *sets;
        uint64_t set_count;
        uint64_t key;
        uint64_t begun_ms; /* lasts four years from here */
};

/* Where a ledger keeps a network, and the mark of its words. It stays valid as long as that ledger. */
struct ledger_key {
        uint64_t name; /* in the tag: its upper 40 bits */
        uint32_t set;
        uint16_t owner;
};

/* A place in the ledger. It may be used at any later time, though it may have become another client's. */
struct ledger_place {
        _Atomic uint64_t *tag, *words;
        uint64_t name;
        uint16_t owner;
        bool has_displaced; /* somebody who was worth keeping still */
};

/* `memory` consists of zeros, is aligned to 64 octets, stays the caller's, and has room for at least one
 * set. */
void ledger_init(struct ledger *ledger, void *memory, size_t size, uint64_t key, uint64_t now_ms);
/* Returns the milliseconds since the ledger began, in which its words keep time. */
static inline uint64_t ledger_time(const struct ledger *ledger, uint64_t now_ms)
{
        return now_ms > ledger->begun_ms ? now_ms - ledger->begun_ms : 0;
}

/* Returns the key of the network that `address` is in. `prefix` counts as in struct network; 128 means the
 * address alone. */
struct ledger_key ledger_key_of(const struct ledger *ledger, const struct address *address, unsigned prefix);

/* ledger_find() only looks, and is false when the client has no place. ledger_bring() takes one where there
 * is none, and is false when too many clients want one at this moment. The place is worth keeping for
 * `keep_ms` from now; a client that comes again is kept in preference to those that came once. */
bool ledger_find(const struct ledger *ledger, const struct ledger_key *key, struct ledger_place *ret_place);
bool ledger_bring(const struct ledger *ledger, const struct ledger_key *key, uint64_t now_ms,
                  uint64_t keep_ms, struct ledger_place *ret_place);
/* The place is worth keeping for `keep_ms` from now, or longer if it was before. */
void ledger_keep(const struct ledger *ledger, const struct ledger_place *place, uint64_t now_ms,
                 uint64_t keep_ms);

/* Returns a word as it is, for ledger_value() and ledger_swap(). */
static inline uint64_t ledger_load(const struct ledger_place *place, unsigned word)
{
        return atomic_load_explicit(&place->words[word], memory_order_relaxed);
}

/* Returns the value in a word, or 0 when the word belongs to another client. */
static inline uint64_t ledger_value(const struct ledger_place *place, uint64_t raw)
{
        return raw >> 48 == place->owner ? raw & ((UINT64_C(1) << 48) - 1) : 0;
}

/* Writes `value` if the word still is *raw. False: it is not; *raw is what it is now, try again. True also
 * when the place has become another's: then there is nothing to write any more. */
bool ledger_swap(const struct ledger_place *place, unsigned word, uint64_t *raw, uint64_t value);
