/* The counting sketch. */
#include "workers/inbound/accept/client_table.h"

#include "core/base/expect.h"

#include <sys/random.h>
#include <xxhash.h>

#define ROW_MIN (1u << 12)
#define ROW_MAX (1u << 22)

bool client_table_init(struct client_table *table, size_t sessions)
{
        size_t size = ROW_MIN;

        /* Four counts each for client and network: two share both of theirs in one of 16 cases at the
         * worst. */
        while (size < ROW_MAX && size < 8 * sessions)
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

static void find_counts(struct client_table *table, const struct address *client, uint8_t prefix,
                        _Atomic uint32_t *ret_counts[2])
{
        struct network network = network_of(client, prefix);
        XXH64_hash_t hash =
            XXH3_64bits_withSeed(network.address.octets, sizeof network.address.octets, table->key + prefix);
        ret_counts[0] = &table->rows[0][hash & table->mask];
        ret_counts[1] = &table->rows[1][hash >> 32 & table->mask];
}

uint32_t client_table_count(struct client_table *table, const struct address *client, uint8_t prefix)
{
        _Atomic uint32_t *counts[2];

        find_counts(table, client, prefix, counts);
        uint32_t first = atomic_fetch_add_explicit(counts[0], 1, memory_order_relaxed) + 1;
        uint32_t second = atomic_fetch_add_explicit(counts[1], 1, memory_order_relaxed) + 1;
        return first < second ? first : second;
}

void client_table_uncount(struct client_table *table, const struct address *client, uint8_t prefix)
{
        _Atomic uint32_t *counts[2];

        find_counts(table, client, prefix, counts);
        atomic_fetch_sub_explicit(counts[0], 1, memory_order_relaxed);
        atomic_fetch_sub_explicit(counts[1], 1, memory_order_relaxed);
}

/* False: nothing is counted, the limit is reached. 0: no limit. */
static bool enter_within(struct client_table *table, const struct address *client, uint8_t prefix,
                         uint64_t max)
{
        if (client_table_count(table, client, prefix) <= max || max == 0)
                return true;
        client_table_uncount(table, client, prefix);
        return false;
}

const char *client_table_enter(struct client_table *table, const struct address *client,
                               const struct options *options, struct client_seat *ret_seat)
{
        bool is_ipv4 = address_is_ipv4(client);
        uint64_t max = options->connections_per_client, network_max = options->connections_per_network;
        uint8_t prefix = is_ipv4 ? 128 : 64;
        uint8_t network_prefix =
            (uint8_t)(is_ipv4 ? 96 + options->client_rate_prefix4 : options->client_rate_prefix6);

        /* Where the client is a network already, the lower limit counts. */
        if (network_prefix == prefix) {
                max = max == 0 || (network_max != 0 && network_max < max) ? network_max : max;
                network_max = 0;
        }
        if (!enter_within(table, client, prefix, max))
                return "connections_per_client";
        if (network_max != 0 && !enter_within(table, client, network_prefix, network_max)) {
                client_table_uncount(table, client, prefix);
                return "connections_per_network";
        }
        *ret_seat = (struct client_seat){prefix, network_max != 0 ? network_prefix : 0};
        return NULL;
}

void client_table_leave(struct client_table *table, const struct address *client,
                        const struct client_seat *seat)
{
        if (seat->prefix != 0)
                client_table_uncount(table, client, seat->prefix);
        if (seat->network_prefix != 0)
                client_table_uncount(table, client, seat->network_prefix);
}
