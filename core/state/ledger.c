/* The table of clients: sets of eight places. */
#include "core/state/ledger.h"

#include "core/base/expect.h"

#include <xxhash.h>

#define KEEP_BITS 24
#define KEEP_MASK ((UINT64_C(1) << KEEP_BITS) - 1)
#define KEEP_UNIT 8000 /* ms; 24 bits of them are four years */
#define TRIES     4

_Static_assert(sizeof(struct ledger_set) == (1 + LEDGER_WAYS) * 64, "no padding");

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

uint64_t ledger_time(const struct ledger *ledger, uint64_t now_ms)
{
        return now_ms > ledger->begun_ms ? now_ms - ledger->begun_ms : 0;
}

/* Never 0: that is nobody's. */
static uint64_t keep_until(const struct ledger *ledger, uint64_t now_ms, uint64_t keep_ms)
{
        uint64_t until = (ledger_time(ledger, now_ms) + keep_ms) / KEEP_UNIT + 1;
        return until < KEEP_MASK ? until : KEEP_MASK;
}

static struct ledger_set *find_set(const struct ledger *ledger, const struct network *network,
                                   struct ledger_place *ret_place)
{
        XXH128_hash_t hash = XXH3_128bits_withSeed(network->address.octets, sizeof network->address.octets,
                                                   ledger->key + network->prefix);

        *ret_place = (struct ledger_place){.name = hash.high64 >> KEEP_BITS, .owner = (uint16_t)hash.high64};
        return &ledger->sets[(hash.low64 >> 32) * ledger->set_count >> 32];
}

static void use_way(struct ledger_set *set, unsigned way, struct ledger_place *place)
{
        place->tag = &set->tags[way];
        place->words = set->words[way];
}

/* LEDGER_WAYS when it is not there; *ret_least then is the way to take, *ret_tag its tag. */
static unsigned find_way(struct ledger_set *set, uint64_t name, unsigned *ret_least, uint64_t *ret_tag)
{
        uint64_t least_keep = UINT64_MAX;

        for (unsigned way = 0; way < LEDGER_WAYS; way++) {
                uint64_t tag = atomic_load_explicit(&set->tags[way], memory_order_relaxed);
                if (tag >> KEEP_BITS == name && tag != 0)
                        return way;
                if ((tag & KEEP_MASK) < least_keep) {
                        least_keep = tag & KEEP_MASK;
                        *ret_least = way;
                        *ret_tag = tag;
                }
        }
        return LEDGER_WAYS;
}

bool ledger_find(const struct ledger *ledger, const struct network *network, struct ledger_place *ret_place)
{
        struct ledger_set *set = find_set(ledger, network, ret_place);
        unsigned least;
        uint64_t tag;
        unsigned way = find_way(set, ret_place->name, &least, &tag);

        if (way == LEDGER_WAYS)
                return false;
        use_way(set, way, ret_place);
        return true;
}

bool ledger_bring(const struct ledger *ledger, const struct network *network, uint64_t now_ms,
                  uint64_t keep_ms, struct ledger_place *ret_place)
{
        struct ledger_set *set = find_set(ledger, network, ret_place);
        uint64_t own = ret_place->name << KEEP_BITS | keep_until(ledger, now_ms, keep_ms);

        for (int i = 0; i < TRIES; i++) {
                unsigned least;
                uint64_t tag;
                unsigned way = find_way(set, ret_place->name, &least, &tag);
                if (way < LEDGER_WAYS) {
                        use_way(set, way, ret_place);
                        ledger_keep(ledger, ret_place, now_ms, keep_ms + KEEP_UNIT);
                        return true;
                }
                if (atomic_compare_exchange_strong_explicit(&set->tags[least], &tag, own,
                                                            memory_order_relaxed, memory_order_relaxed)) {
                        use_way(set, least, ret_place);
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
