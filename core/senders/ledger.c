/* The table of clients: sets of eight places. */
#include "core/senders/ledger.h"

#include "core/base/expect.h"

#include <xxhash.h>

#define KEEP_BITS 24
#define KEEP_MASK ((UINT64_C(1) << KEEP_BITS) - 1)
#define KEEP_UNIT 8000 /* ms; 24 bits of them are four years */
#define TRIES     4

_Static_assert(sizeof(struct ledger_set) == (1 + LEDGER_WAYS) * sizeof(uint64_t[LEDGER_WORDS]), "no padding");

void ledger_init(struct ledger *ledger, void *memory, size_t size, uint64_t key, uint64_t now_ms)
{
        *ledger = (struct ledger){
            .sets = memory,
            .set_count = size / sizeof(struct ledger_set),
            .key = key,
            .begun_ms = now_ms,
        };
        expect(ledger->set_count > 0 && ledger->set_count <= UINT32_MAX);
}

/* Never 0: that is nobody's. */
static uint64_t keep_until(const struct ledger *ledger, uint64_t now_ms, uint64_t keep_ms)
{
        uint64_t until = (ledger_time(ledger, now_ms) + keep_ms) / KEEP_UNIT + 1;
        return until < KEEP_MASK ? until : KEEP_MASK;
}

struct ledger_key ledger_key_of(const struct ledger *ledger, const struct address *address, unsigned prefix)
{
        struct network network = network_of(address, prefix);
        XXH128_hash_t hash = XXH3_128bits_withSeed(network.address.octets, sizeof network.address.octets,
                                                   ledger->key + network.prefix);

        return (struct ledger_key){
            .name = hash.high64 >> KEEP_BITS,
            .set = (uint32_t)((hash.low64 >> 32) * ledger->set_count >> 32),
            .owner = (uint16_t)hash.high64,
        };
}

static struct ledger_place place_at(struct ledger_set *set, unsigned way, const struct ledger_key *key)
{
        return (struct ledger_place){
            .tag = &set->tags[way], .words = set->words[way], .name = key->name, .owner = key->owner};
}

/* A tag is 0 while its place has never been taken. */
static bool find(struct ledger_set *set, const struct ledger_key *key, struct ledger_place *ret_place)
{
        for (unsigned way = 0; way < LEDGER_WAYS; way++) {
                uint64_t tag = atomic_load_explicit(&set->tags[way], memory_order_relaxed);
                if (tag >> KEEP_BITS != key->name || tag == 0)
                        continue;
                *ret_place = place_at(set, way, key);
                return true;
        }
        return false;
}

/* The way of whoever is least worth keeping. */
static unsigned find_least(struct ledger_set *set, uint64_t *ret_tag)
{
        uint64_t least_keep = UINT64_MAX;
        unsigned least = 0;

        for (unsigned way = 0; way < LEDGER_WAYS; way++) {
                uint64_t tag = atomic_load_explicit(&set->tags[way], memory_order_relaxed);
                if ((tag & KEEP_MASK) >= least_keep)
                        continue;
                least_keep = tag & KEEP_MASK;
                least = way;
                *ret_tag = tag;
        }
        return least;
}

bool ledger_find(const struct ledger *ledger, const struct ledger_key *key, struct ledger_place *ret_place)
{
        return find(&ledger->sets[key->set], key, ret_place);
}

bool ledger_bring(const struct ledger *ledger, const struct ledger_key *key, uint64_t now_ms,
                  uint64_t keep_ms, struct ledger_place *ret_place)
{
        struct ledger_set *set = &ledger->sets[key->set];
        uint64_t own = key->name << KEEP_BITS | keep_until(ledger, now_ms, keep_ms), tag;

        for (int i = 0; i < TRIES; i++) {
                if (find(set, key, ret_place)) {
                        ledger_keep(ledger, ret_place, now_ms, keep_ms + KEEP_UNIT);
                        return true;
                }
                unsigned least = find_least(set, &tag);
                if (atomic_compare_exchange_strong_explicit(&set->tags[least], &tag, own,
                                                            memory_order_relaxed, memory_order_relaxed)) {
                        *ret_place = place_at(set, least, key);
                        ret_place->has_displaced = (tag & KEEP_MASK) > keep_until(ledger, now_ms, 0);
                        return true;
                }
        }
        return false;
}

void ledger_keep(const struct ledger *ledger, const struct ledger_place *place, uint64_t now_ms,
                 uint64_t keep_ms)
{
        uint64_t own = place->name << KEEP_BITS | keep_until(ledger, now_ms, keep_ms);
        uint64_t tag = atomic_load_explicit(place->tag, memory_order_relaxed);

        while (tag >> KEEP_BITS == place->name && tag < own)
                if (atomic_compare_exchange_weak_explicit(place->tag, &tag, own, memory_order_relaxed,
                                                          memory_order_relaxed))
                        return;
}

bool ledger_swap(const struct ledger_place *place, unsigned word, uint64_t *raw, uint64_t value)
{
        uint64_t own = (uint64_t)place->owner << 48 | value;

        if (atomic_compare_exchange_strong_explicit(&place->words[word], raw, own, memory_order_relaxed,
                                                    memory_order_relaxed))
                return true;
        return atomic_load_explicit(place->tag, memory_order_relaxed) >> KEEP_BITS != place->name;
}
