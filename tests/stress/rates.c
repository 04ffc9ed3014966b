/* The memory of clients under a flood: many threads, a million addresses. It stays in its memory, remembers
 * whom it should, and counts right. */
#include "core/base/expect.h"
#include "core/senders/rates.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define THREADS   4
#define STRANGERS 250000 /* from each thread */
#define SIZE      (1u << 20)
#define GUARD     64
#define NOW_MS    5000000 /* time stands still: no bucket fills up again */
#define LIMIT     1000

static _Alignas(64) uint8_t memory[GUARD + SIZE + GUARD];
static struct ledger ledger;
static struct options options = {
    .client_rate_connections = {LIMIT, 3600000},
    .client_rate_unknown_recipients = {1, 3600000},
    .client_rate_network_factor = 65536,
    .client_rate_prefix4 = 24,
    .client_rate_prefix6 = 64,
    .client_rate_penalty_ms = 60000,
    .client_rate_penalty_max_ms = 3600000,
    .client_rate_penalty_forget_ms = 3600000,
    .client_rate_history = 5,
    .client_rate_history_lifetime_ms = 86400000,
};
static _Atomic uint32_t granted, displaced;

static struct rates rates_of(uint32_t number)
{
        struct address client = {.octets = {[10] = 0xff,
                                            [11] = 0xff,
                                            [12] = (uint8_t)(number >> 24),
                                            [13] = (uint8_t)(number >> 16),
                                            [14] = (uint8_t)(number >> 8),
                                            [15] = (uint8_t)number}};
        struct rates rates;

        rates_init(&rates, &ledger, &options, &client, NOW_MS);
        return rates;
}

enum { REGULAR = 0x0a000001, HARVESTER = 0x0b000001, FRIEND = 0x0c000001 };

/* Every hundredth connection is the regular's. */
static void *flood(void *argument)
{
        uint32_t first = 0x20000000 + (uint32_t)(uintptr_t)argument * STRANGERS;
        struct rates regular = rates_of(REGULAR);
        struct rate_excess excess;
        uint32_t mine = 0, gone = 0;

        for (uint32_t i = 0; i < STRANGERS; i++) {
                struct rates stranger = rates_of(first + i);
                expect(rates_are_clear(&stranger, &excess));
                rates_take(&stranger, RATE_CONNECTIONS, 1, &excess);
                gone += stranger.displaced;
                if (i % 100 == 0)
                        mine += rates_take(&regular, RATE_CONNECTIONS, 1, &excess);
        }
        atomic_fetch_add(&granted, mine);
        atomic_fetch_add(&displaced, gone);
        return NULL;
}

static void run_threads(void *(*run)(void *))
{
        pthread_t threads[THREADS];

        for (uintptr_t i = 0; i < THREADS; i++)
                expect(pthread_create(&threads[i], NULL, run, (void *)i) == 0);
        for (int i = 0; i < THREADS; i++)
                pthread_join(threads[i], NULL);
}

/* All threads at one bucket, and some give back. */
static void *contend(void *argument)
{
        struct rates rates = rates_of(HARVESTER + 1000);
        struct rate_excess excess;
        uint32_t mine = 0;

        (void)argument;
        for (int i = 0; i < 20 * LIMIT; i++)
                if (rates_take(&rates, RATE_CONNECTIONS, 1, &excess)) {
                        mine++;
                } else if (i % 100 == 0) {
                        rates_give_back(&rates, RATE_CONNECTIONS, 1);
                        mine--;
                }
        atomic_fetch_add(&granted, mine);
        return NULL;
}

/* What is in the bucket and what was granted is the limit, whoever raced whom. */
static void check_contention(void)
{
        struct rates rates = rates_of(HARVESTER + 1000);
        struct rate_excess excess;

        /* The first one makes the place: two places for one client are a matter of the flood. */
        expect(rates_take(&rates, RATE_CONNECTIONS, 1, &excess));
        atomic_store(&granted, 1);
        run_threads(contend);
        uint32_t left = 0;
        while (rates_take(&rates, RATE_CONNECTIONS, 1, &excess))
                left++;
        expect(atomic_load(&granted) + left == LIMIT);
}

static void check_memory(void)
{
        for (size_t i = 0; i < GUARD; i++)
                expect(memory[i] == 0xa5 && memory[GUARD + SIZE + i] == 0xa5);
        uint64_t places = 0;
        for (uint64_t set = 0; set < ledger.set_count; set++)
                for (int way = 0; way < LEDGER_WAYS; way++)
                        places += atomic_load(&ledger.sets[set].tags[way]) != 0;
        expect(ledger.set_count == SIZE / sizeof(struct ledger_set));
        expect(places == ledger.set_count * LEDGER_WAYS);
}

int main(void)
{
        struct rates harvester = rates_of(HARVESTER), friend = rates_of(FRIEND);
        struct rate_excess excess;

        memset(memory, 0xa5, GUARD);
        memset(memory + GUARD + SIZE, 0xa5, GUARD);
        ledger_init(&ledger, memory + GUARD, SIZE, 42, 1000);
        expect(rates_take_fault(&harvester, RATE_UNKNOWN_RECIPIENTS, 1, &excess));
        expect(!rates_take_fault(&harvester, RATE_UNKNOWN_RECIPIENTS, 1, &excess));
        rates_note_history(&friend, 10, 0);
        check_contention();

        atomic_store(&granted, 0);
        run_threads(flood);
        check_memory();
        expect(!rates_are_clear(&harvester, &excess) && excess.penalty_ms == 60000);
        expect(rates_has_good_history(&friend));
        printf("granted %u of %u, displaced %u\n", atomic_load(&granted), LIMIT, atomic_load(&displaced));
        expect(atomic_load(&granted) >= LIMIT && atomic_load(&granted) <= LIMIT + LIMIT / 100);
        expect(atomic_load(&displaced) > STRANGERS);
        return 0;
}
