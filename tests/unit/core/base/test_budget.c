/* The budget of memory: what accounts hold is counted exactly, and never exceeds it. */
#include "core/base/arena.h"
#include "core/mail/content.h"

#include <criterion/criterion.h>

#define MIB ((uint64_t)1 << 20)

Test(budget, an_account_takes_steps_and_gives_them_back)
{
        struct budget budget = {0};
        struct account account = {.budget = &budget};

        budget_set(&budget, 64 * MIB, 80);
        cr_assert(account_take(&account, 1, BUDGET_FOR_REST));
        cr_assert_eq(budget.leased, 1 + ACCOUNT_STEP);
        for (int i = 0; i < 100; i++) {
                cr_assert(account_take(&account, 1000, BUDGET_FOR_REST));
                account_give_back(&account, 1000);
        }
        cr_assert_eq(budget.leased, 1 + ACCOUNT_STEP, "what comes and goes is not told");
        cr_assert(account_take(&account, MIB, BUDGET_FOR_TEXT));
        account_give_back(&account, MIB);
        cr_assert_eq(account.held, 1);
        cr_assert_eq(budget.leased, 1 + ACCOUNT_STEP);
}

Test(budget, all_accounts_together_take_no_more_and_all_of_it)
{
        struct budget budget = {0};
        struct account one = {.budget = &budget}, other = {.budget = &budget};

        budget_set(&budget, 32 * MIB, 80);
        cr_assert(account_take(&one, 20 * MIB, BUDGET_FOR_REST));
        cr_assert(account_take(&other, 10 * MIB, BUDGET_FOR_REST));
        cr_assert_not(account_take(&other, 2 * MIB, BUDGET_FOR_REST));
        cr_assert_eq(other.held, 10 * MIB);
        cr_assert_not(account_take(&other, MIB + MIB / 2, BUDGET_FOR_TEXT), "text ends a little before");
        cr_assert(account_take(&other, MIB + MIB / 2, BUDGET_FOR_REST));
        account_give_back(&one, 20 * MIB);
        cr_assert(account_take(&other, 19 * MIB, BUDGET_FOR_TEXT));
        cr_assert_leq(budget.leased, 32 * MIB);
}

Test(budget, the_level_has_some_inertia)
{
        struct budget budget = {0};

        budget_set(&budget, 1600, 50);
        budget.leased = 799;
        cr_assert_eq(budget_level(&budget, BUDGET_EASY), BUDGET_EASY);
        cr_assert_eq(budget_level(&budget, BUDGET_TIGHT), BUDGET_TIGHT);
        budget.leased = 740;
        cr_assert_eq(budget_level(&budget, BUDGET_TIGHT), BUDGET_EASY);
        budget.leased = 800;
        cr_assert_eq(budget_level(&budget, BUDGET_EASY), BUDGET_TIGHT);
        budget.leased = 1500;
        cr_assert_eq(budget_level(&budget, BUDGET_EASY), BUDGET_SPENT);
        budget.leased = 1460;
        cr_assert_eq(budget_level(&budget, BUDGET_SPENT), BUDGET_SPENT);
        cr_assert_eq(budget_level(&budget, BUDGET_TIGHT), BUDGET_TIGHT);
        budget.leased = 1440;
        cr_assert_eq(budget_level(&budget, BUDGET_SPENT), BUDGET_TIGHT);
        budget_set(&budget, 1600, 100);
        budget.leased = 1399;
        cr_assert_eq(budget_level(&budget, BUDGET_EASY), BUDGET_EASY);
        budget.leased = 1400;
        cr_assert_eq(budget_level(&budget, BUDGET_EASY), BUDGET_TIGHT, "in any case before the end");
}

Test(budget, nobody_counts_without_an_account)
{
        cr_assert(account_take(NULL, SIZE_MAX, BUDGET_FOR_TEXT));
        account_give_back(NULL, SIZE_MAX);
}

Test(budget, arenas_count_their_blocks)
{
        struct budget budget = {0};
        struct account account = {.budget = &budget};
        struct block_pool pool;
        struct arena arena;

        budget_set(&budget, MIB, 80);
        block_pool_init(&pool, 1024, 4);
        pool.account = &account;
        arena_init(&arena, &pool, SIZE_MAX);
        cr_assert_not_null(arena_take(&arena, 100));
        cr_assert_eq(account.held, 1024);
        cr_assert_not_null(arena_take(&arena, 5000));
        cr_assert_eq(account.held, 1024 + sizeof(struct arena_block) + 5000);
        cr_assert_null(arena_take(&arena, MIB));
        arena_end(&arena);
        cr_assert_eq(account.held, 1024, "what is kept unused is counted, and nothing else");
        cr_assert_eq(block_pool_unused(&pool), 1024);
        cr_assert_not_null(arena_take(&arena, 100));
        cr_assert_eq(account.held, 1024, "and not twice when it is used again");
        cr_assert_eq(block_pool_unused(&pool), 0);
        arena_end(&arena);
        block_pool_keep(&pool, 0);
        cr_assert_eq(account.held, 0);
        cr_assert_not_null(arena_take(&arena, 100));
        arena_end(&arena);
        cr_assert_eq(account.held, 0, "nothing is kept any more");
        block_pool_end(&pool);
}

Test(budget, text_counts_its_blocks_wherever_they_are)
{
        static char octets[MIB];
        struct budget budget = {0};
        struct account account = {.budget = &budget};
        struct content_pool pool;
        struct content content = {0};

        budget_set(&budget, MIB, 80);
        content_pool_init(&pool, 4);
        pool.account = &account;
        cr_assert(content_append(&content, &pool, SPAN("x")));
        cr_assert_eq(account.held, CONTENT_BLOCK_SIZE);
        cr_assert(content_append(&content, &pool, span_of(octets, CONTENT_BLOCK_ROOM)));
        struct content detached = content_detach(&content);
        cr_assert_eq(account.held, 2 * CONTENT_BLOCK_SIZE);
        cr_assert_not(content_append(&content, &pool, span_of(octets, sizeof octets)));
        cr_assert_leq(account.held, MIB);
        content_release(&content, &pool);
        content_release(&detached, &pool);
        cr_assert_eq(account.held, 4 * CONTENT_BLOCK_SIZE, "what is kept unused is counted");
        cr_assert_eq(content_pool_unused(&pool), 4 * CONTENT_BLOCK_SIZE);
        cr_assert(content_append(&content, &pool, SPAN("x")));
        cr_assert_eq(account.held, 4 * CONTENT_BLOCK_SIZE, "and not twice when it is used again");
        content_pool_keep(&pool, 1);
        cr_assert_eq(account.held, 2 * CONTENT_BLOCK_SIZE);
        content_release(&content, &pool);
        content_pool_end(&pool);
        cr_assert_eq(account.held, 0);
}
