/* The table of those whose handshakes have failed: sets of eight words, a cache line each. */
#include "core/senders/tls_no_go.h"

#include "core/base/expect.h"

#include <xxhash.h>

#define UNTIL_BITS 32
#define UNTIL_MASK ((UINT64_C(1) << UNTIL_BITS) - 1)

void tls_no_go_init(struct tls_no_go *table, void *memory, size_t size, uint64_t key)
{
        *table = (struct tls_no_go){memory, size / sizeof(struct tls_no_go_set), key};
        expect(table->set_count > 0 && table->set_count <= UINT32_MAX);
}

static uint64_t hash_of(const struct tls_no_go *table, const struct address *client)
{
        return XXH3_64bits_withSeed(client->octets, sizeof client->octets, table->key);
}

/* The name is the upper half of the hash, and the lower half chooses the set. */
static struct tls_no_go_set *set_of(const struct tls_no_go *table, uint64_t hash)
{
        return &table->sets[(hash & UNTIL_MASK) * table->set_count >> 32];
}

static uint64_t load(const struct tls_no_go_set *set, unsigned way)
{
        return atomic_load_explicit(&set->words[way], memory_order_relaxed);
}

/* The client's own place, or that of whoever would leave first. Two threads that choose the same one forget one of two
 * clients. */
void tls_no_go_add(const struct tls_no_go *table, const struct address *client, uint64_t now_ms,
                   uint64_t keep_ms)
{
        uint64_t hash = hash_of(table, client), until = ((now_ms + keep_ms) / 1000 + 1) & UNTIL_MASK;
        struct tls_no_go_set *set = set_of(table, hash);
        unsigned best = 0;

        for (unsigned way = 0; way < TLS_NO_GO_WAYS; way++) {
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

void tls_no_go_forget(const struct tls_no_go *table)
{
        for (uint64_t i = 0; i < table->set_count; i++)
                for (unsigned way = 0; way < TLS_NO_GO_WAYS; way++)
                        atomic_store_explicit(&table->sets[i].words[way], 0, memory_order_relaxed);
}

bool tls_no_go_has(const struct tls_no_go *table, const struct address *client, uint64_t now_ms)
{
        uint64_t hash = hash_of(table, client);
        const struct tls_no_go_set *set = set_of(table, hash);

        for (unsigned way = 0; way < TLS_NO_GO_WAYS; way++) {
                uint64_t word = load(set, way);
                if (word != 0 && word >> UNTIL_BITS == hash >> UNTIL_BITS)
                        return (word & UNTIL_MASK) * 1000 > now_ms;
        }
        return false;
}
