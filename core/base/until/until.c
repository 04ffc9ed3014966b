/* The table: sets of eight words, a cache line each. */
#include "core/base/until/until.h"

#include "core/base/expect.h"

#define UNTIL_BITS 32
#define UNTIL_MASK ((UINT64_C(1) << UNTIL_BITS) - 1)

void until_init(struct until_table *table, void *memory, size_t size)
{
        *table = (struct until_table){memory, size / sizeof(struct until_set)};
        expect(table->set_count > 0 && table->set_count <= UINT32_MAX);
}

/* The upper half of the hash is the name, and the lower half chooses the set. */
static struct until_set *set_of(const struct until_table *table, uint64_t hash)
{
        return &table->sets[(hash & UNTIL_MASK) * table->set_count >> 32];
}

static uint64_t load(const struct until_set *set, unsigned way)
{
        return atomic_load_explicit(&set->words[way], memory_order_relaxed);
}

/* Its own place, or that of whatever would end first. Two threads that choose the same one forget one of two. */
void until_add(const struct until_table *table, uint64_t hash, uint64_t now_ms, uint64_t keep_ms)
{
        uint64_t until = ((now_ms + keep_ms) / 1000 + 1) & UNTIL_MASK;
        struct until_set *set = set_of(table, hash);
        unsigned best = 0;

        for (unsigned way = 0; way < UNTIL_WAYS; way++) {
                uint64_t word = load(set, way);
                if (word != 0 && word >> UNTIL_BITS == hash >> UNTIL_BITS) {
                        best = way;
                        break;
                }
                if ((word & UNTIL_MASK) < (load(set, best) & UNTIL_MASK))
                        best = way;
        }
        atomic_store_explicit(&set->words[best], (hash & ~UNTIL_MASK) | until, memory_order_relaxed);
}

void until_forget(const struct until_table *table)
{
        for (uint64_t i = 0; i < table->set_count; i++)
                for (unsigned way = 0; way < UNTIL_WAYS; way++)
                        atomic_store_explicit(&table->sets[i].words[way], 0, memory_order_relaxed);
}

bool until_has(const struct until_table *table, uint64_t hash, uint64_t now_ms)
{
        const struct until_set *set = set_of(table, hash);

        for (unsigned way = 0; way < UNTIL_WAYS; way++) {
                uint64_t word = load(set, way);
                if (word != 0 && word >> UNTIL_BITS == hash >> UNTIL_BITS)
                        return (word & UNTIL_MASK) * 1000 > now_ms;
        }
        return false;
}
