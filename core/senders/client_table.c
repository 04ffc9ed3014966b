/* The open sessions of clients. */
#include "core/senders/client_table.h"

#define ROW_MIN (1u << 12)
#define ROW_MAX (1u << 22)

bool client_table_init(struct client_table *table, size_t sessions, uint64_t key)
{
        size_t size = ROW_MIN;

        /* Four counts each for client and network: two share both of theirs in one of 16 cases at the
         * worst. */
        while (size < ROW_MAX && size < 8 * sessions)
                size *= 2;
        return sketch_init(&table->sketch, size, key);
}

void client_table_end(struct client_table *table)
{
        sketch_end(&table->sketch);
}

uint32_t client_table_count(struct client_table *table, const struct address *client, uint8_t prefix)
{
        return sketch_add(&table->sketch, sketch_hash(&table->sketch, client, prefix));
}

void client_table_uncount(struct client_table *table, const struct address *client, uint8_t prefix)
{
        sketch_remove(&table->sketch, sketch_hash(&table->sketch, client, prefix));
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

struct client_seat client_seat_of(const struct address *client, const struct options *options,
                                  struct client_limits *limits)
{
        bool is_ipv4 = address_is_ipv4(client);
        uint8_t prefix = is_ipv4 ? 128 : 64;
        uint8_t network_prefix =
            (uint8_t)(is_ipv4 ? 96 + options->client_rate_prefix4 : options->client_rate_prefix6);

        if (network_prefix == prefix && limits->network != 0 &&
            (limits->client == 0 || limits->network < limits->client))
                limits->client = limits->network;
        if (network_prefix == prefix)
                limits->network = 0;
        return (struct client_seat){prefix, limits->network != 0 ? network_prefix : 0};
}

const char *client_table_enter(struct client_table *table, const struct address *client,
                               const struct options *options, struct client_seat *ret_seat)
{
        struct client_limits limits = {options->connections_per_client, options->connections_per_network};
        struct client_seat seat = client_seat_of(client, options, &limits);

        if (!enter_within(table, client, seat.prefix, limits.client))
                return "connections_per_client";
        if (seat.network_prefix != 0 && !enter_within(table, client, seat.network_prefix, limits.network)) {
                client_table_uncount(table, client, seat.prefix);
                return "connections_per_network";
        }
        *ret_seat = seat;
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
