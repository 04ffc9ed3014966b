/* What a worker keeps unused counts for the budget of memory, has a share of it, and goes when memory is tight. */
#include "workers/inbound/worker_load.h"

#include <criterion/criterion.h>

#define MIB ((uint64_t)1 << 20)

static struct budget budget;
static struct worker worker;
static struct load load;
static char log_octets[65536];

static void begin(void)
{
        budget_set(&budget, 64 * MIB, 80);
        worker.worker_count = 2;
        worker.account.budget = &budget;
        worker.load = &load;
        text_over(&worker.host.log, log_octets, sizeof log_octets);
        content_pool_init(&worker.host.content_pool, 0);
        block_pool_init(&worker.host.session_pool, 256, 0);
        block_pool_init(&worker.host.transaction_pool, 2048, 0);
        worker.host.content_pool.account = worker.host.session_pool.account =
            worker.host.transaction_pool.account = &worker.account;
        worker_look_at_load(&worker);
}

static void end(void)
{
        content_pool_end(&worker.host.content_pool);
        block_pool_end(&worker.host.session_pool);
        block_pool_end(&worker.host.transaction_pool);
        cr_assert_eq(worker.account.held, 0);
}

/* Holds so many octets of everything for a moment. */
static void come_and_go(size_t octets)
{
        static char text[4 << 20];
        struct content content = {0};
        struct arena session, transaction;

        arena_init(&session, &worker.host.session_pool, SIZE_MAX);
        arena_init(&transaction, &worker.host.transaction_pool, SIZE_MAX);
        cr_assert(content_append(&content, &worker.host.content_pool, span_of(text, octets)));
        for (size_t taken = 0; taken < octets; taken += 200)
                cr_assert(arena_take(&session, 200) != NULL && arena_take(&transaction, 200) != NULL);
        arena_end(&session);
        arena_end(&transaction);
        content_release(&content, &worker.host.content_pool);
}

TestSuite(worker_load, .init = begin, .fini = end);

Test(worker_load, unused_blocks_have_a_share_of_the_budget)
{
        come_and_go(4 << 20);
        cr_assert_eq(worker_memory_in_use(&worker), 0);
        cr_assert_gt(worker.account.held, MIB);
        cr_assert_leq(worker.account.held, 64 * MIB / 16 / 2, "all workers together have a sixteenth");
        cr_assert_geq(atomic_load(&budget.leased), worker.account.held);
        budget_set(&budget, 16 * MIB, 80);
        worker_look_at_load(&worker);
        cr_assert_leq(worker.account.held, 16 * MIB / 16 / 2);
}

Test(worker_load, unused_blocks_go_when_memory_is_tight)
{
        struct account other = {.budget = &budget};

        come_and_go(4 << 20);
        cr_assert(account_take(&other, 52 * MIB, BUDGET_FOR_REST));
        cr_assert(worker_look_at_load(&worker));
        cr_assert_eq(worker.account.held, 0);
        come_and_go(1 << 20);
        cr_assert_eq(worker.account.held, 0, "and none is kept until there is room again");
        account_give_back(&other, 52 * MIB);
        cr_assert(worker_look_at_load(&worker));
        come_and_go(1 << 20);
        cr_assert_gt(worker.account.held, MIB / 2);
}
