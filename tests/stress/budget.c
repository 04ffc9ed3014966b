/* Threads that take from one budget and give back, while it is set anew: all together never have more than it
 * allows, and in the end nothing is missing. */
#include "core/base/budget.h"
#include "core/base/expect.h"

#include <pthread.h>

#define THREADS 4
#define ROUNDS  200000
#define PIECES  64
#define MAX     ((uint64_t)3 << 20) /* one thread alone may want more */

static struct budget budget;
static _Atomic bool is_over;
static _Atomic uint64_t refused;

static uint32_t next(uint32_t *state)
{
        *state ^= *state << 13;
        *state ^= *state >> 17;
        *state ^= *state << 5;
        return *state;
}

static void *use(void *argument)
{
        uint32_t random = 1 + (uint32_t)(uintptr_t)argument;
        struct account account = {.budget = &budget};
        size_t pieces[PIECES] = {0};

        for (int i = 0; i < ROUNDS; i++) {
                size_t *piece = &pieces[next(&random) % PIECES];
                account_give_back(&account, *piece);
                *piece = next(&random) % 131072;
                if (!account_take(&account, *piece, i % 3 == 0 ? BUDGET_FOR_REST : BUDGET_FOR_TEXT)) {
                        atomic_fetch_add(&refused, 1);
                        *piece = 0;
                }
                expect(account.held <= account.leased);
        }
        for (int i = 0; i < PIECES; i++)
                account_give_back(&account, pieces[i]);
        expect(account.held == 0 && account.leased <= 2 * ACCOUNT_STEP);
        return NULL;
}

static void *watch(void *argument)
{
        enum budget_level level = BUDGET_EASY;

        (void)argument;
        while (!atomic_load(&is_over)) {
                level = budget_level(&budget, level);
                expect(atomic_load(&budget.leased) <= MAX);
                budget_set(&budget, MAX - (uint64_t)level * 1024, 80);
        }
        return NULL;
}

int main(void)
{
        pthread_t threads[THREADS], watcher;

        budget_set(&budget, MAX, 80);
        expect(pthread_create(&watcher, NULL, watch, NULL) == 0);
        for (uintptr_t i = 0; i < THREADS; i++)
                expect(pthread_create(&threads[i], NULL, use, (void *)i) == 0);
        for (int i = 0; i < THREADS; i++)
                pthread_join(threads[i], NULL);
        atomic_store(&is_over, true);
        pthread_join(watcher, NULL);
        expect(atomic_load(&budget.leased) <= THREADS * 2 * ACCOUNT_STEP);
        expect(atomic_load(&refused) > 0);
        return 0;
}
