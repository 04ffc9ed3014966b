/* The counting sketch. */
#include "workers/client_table.h"

#include "core/base/expect.h"

#include <sys/random.h>
#include <xxhash.h>

#define ROW_MIN (1u << 12)
#define ROW_MAX (1u << 22)

bool client_table_init(struct client_table *table, size_t sessions)
{
        size_t size = ROW_MIN;

        /* Four counts a session: two clients share both of theirs in one of 16 cases at the worst. */
        while (size < ROW_MAX && size < 4 * sessions)
                size *= 2;
        *table = (struct client_table){.mask = size - 1};
        expect(getrandom(&table->key, sizeof table->key, 0) == sizeof table->key);
        for (int row = 0; row < 2; row++)
                table->rows[row] = calloc(size, sizeof table->rows[row][0]);
        if (table->rows[0] != NULL && table->rows[1] != NULL)
                return true;
        client_table_end(table);
        return false;
}

void client_table_end(struct client_table *table)
{
        free(table->rows[0]);
        free(table->rows[1]);
}

static void find_counts(struct client_table *table, const struct address *client,
                        _Atomic uint32_t *ret_counts[2])
{
        XXH64_hash_t hash =
            XXH3_64bits_withSeed(client->octets, address_is_ipv4(client) ? 16 : 8, table->key);
        ret_counts[0] = &table->rows[0][hash & table->mask];
        ret_counts[1] = &table->rows[1][hash >> 32 & table->mask];
}

uint32_t client_table_enter(struct client_table *table, const struct address *client)
{
        _Atomic uint32_t *counts[2];

        find_counts(table, client, counts);
        uint32_t first = atomic_fetch_add_explicit(counts[0], 1, memory_order_relaxed) + 1;
        uint32_t second = atomic_fetch_add_explicit(counts[1], 1, memory_order_relaxed) + 1;
        return first < second ? first : second;
}

void client_table_leave(struct client_table *table, const struct address *client)
{
        _Atomic uint32_t *counts[2];

        find_counts(table, client, counts);
        atomic_fetch_sub_explicit(counts[0], 1, memory_order_relaxed);
        atomic_fetch_sub_explicit(counts[1], 1, memory_order_relaxed);
}
