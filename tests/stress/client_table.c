/* The sketch of client counts: many threads enter and leave; the count is never too low, and nothing is left
 * at the end. */
#include "core/senders/client_table.h"

#include "core/base/expect.h"

#include <pthread.h>

#define THREADS 4
#define ROUNDS  100000
#define HELD    8 /* of its own client, by each thread, all the time */

static struct client_table table;

static struct address ipv4(uint32_t number)
{
        return (struct address){.octets = {[10] = 0xff,
                                           [11] = 0xff,
                                           [12] = 10,
                                           [13] = (uint8_t)(number >> 16),
                                           [14] = (uint8_t)(number >> 8),
                                           [15] = (uint8_t)number}};
}

static struct address ipv6(uint8_t network, uint8_t host)
{
        return (struct address){.octets = {[0] = 0x20, [1] = 1, [7] = network, [15] = host}};
}

static void *come_and_go(void *argument)
{
        uint32_t number = (uint32_t)(uintptr_t)argument;
        struct address own = ipv4(number), shared = ipv4(1000);

        for (int i = 0; i < HELD; i++)
                client_table_count(&table, &own, 128);
        for (uint32_t round = 0; round < ROUNDS; round++) {
                struct address passing = ipv4(2000 + number * ROUNDS + round);
                expect(client_table_count(&table, &passing, 128) >= 1);
                expect(client_table_count(&table, &shared, 128) >= 1);
                expect(client_table_count(&table, &own, 128) >= HELD + 1);
                client_table_uncount(&table, &passing, 128);
                client_table_uncount(&table, &shared, 128);
                client_table_uncount(&table, &own, 128);
        }
        for (int i = 0; i < HELD; i++)
                client_table_uncount(&table, &own, 128);
        return NULL;
}

/* Whoever rises leaves nothing behind, though the prefix is another by then. */
static void check_seats(void)
{
        struct options options = {
            .connections_per_client = 2, .connections_per_network = 3, .client_rate_prefix4 = 24};
        struct address first = ipv4(0x010101), second = ipv4(0x010102), stranger = ipv4(0x010201);
        struct client_seat seats[3], seat;

        expect(client_table_enter(&table, &first, &options, &seats[0]) == NULL);
        expect(client_table_enter(&table, &first, &options, &seats[1]) == NULL);
        expect(strcmp(client_table_enter(&table, &first, &options, &seat), "connections_per_client") == 0);
        expect(client_table_enter(&table, &second, &options, &seats[2]) == NULL);
        expect(strcmp(client_table_enter(&table, &second, &options, &seat), "connections_per_network") == 0);
        expect(client_table_enter(&table, &stranger, &options, &seat) == NULL);
        client_table_leave(&table, &stranger, &seat);
        options.client_rate_prefix4 = 16;
        client_table_leave(&table, &first, &seats[0]);
        expect(client_table_enter(&table, &first, &options, &seats[0]) == NULL);
        client_table_leave(&table, &first, &seats[0]);
        client_table_leave(&table, &first, &seats[1]);
        client_table_leave(&table, &second, &seats[2]);
        expect(client_table_count(&table, &first, 128) == 1 && client_table_count(&table, &first, 120) == 1);

        struct address host = ipv6(7, 1), neighbour = ipv6(7, 2);
        options = (struct options){.connections_per_network = 1, .client_rate_prefix6 = 64};
        expect(client_table_enter(&table, &host, &options, &seat) == NULL);
        expect(client_table_enter(&table, &neighbour, &options, &seat) != NULL);
}

int main(void)
{
        pthread_t threads[THREADS];

        expect(client_table_init(&table, 20000, 42));
        for (uintptr_t i = 0; i < THREADS; i++)
                expect(pthread_create(&threads[i], NULL, come_and_go, (void *)i) == 0);
        for (int i = 0; i < THREADS; i++)
                pthread_join(threads[i], NULL);
        for (size_t i = 0; i <= table.sketch.mask; i++)
                expect(atomic_load(&table.sketch.rows[0][i]) == 0 &&
                       atomic_load(&table.sketch.rows[1][i]) == 0);

        /* One IPv6 network is one client; two are two. */
        struct address first = ipv6(1, 1), second = ipv6(1, 2), other = ipv6(2, 1);
        expect(client_table_count(&table, &first, 64) == 1);
        expect(client_table_count(&table, &second, 64) == 2);
        expect(client_table_count(&table, &other, 64) == 1);
        check_seats();
        client_table_end(&table);
        return 0;
}
