/* What checks keep for themselves, and what they make of it when memory is out. */
#include "core/check/memory.h"

#include "core/check/hooks.h"
#include "core/check/spf/spf.h"

#include <criterion/criterion.h>

static struct block_pool pool;
static struct arena arena;
static struct check_memory memory;
static struct snapshot snapshot;
static struct memo memo;

static struct facts begin(size_t arena_limit)
{
        block_pool_init(&pool, 4096, 0);
        arena_init(&arena, &pool, arena_limit);
        memory = (struct check_memory){0};
        memo_init(&memo, &arena, NULL, 0, 10);
        for (enum check_id check = 0; check < CHECK_COUNT; check++)
                snapshot.check_is_wanted[check] = true;
        snapshot.options.hostname = "mx.isp.example";
        return (struct facts){.snapshot = &snapshot,
                              .helo = SPAN("client.example.com"),
                              .sender_is_null = true,
                              .memory = &memory,
                              .memo = &memo,
                              .arena = &arena};
}

static void end(void)
{
        arena_end(&arena);
        block_pool_end(&pool);
}

Test(memory, is_of_zeros_and_stays)
{
        struct facts facts = begin(SIZE_MAX);
        static const char zeros[100];

        memset(arena_take(&arena, 200), 0x5a, 200);
        cr_expect_null(check_memory_find(&facts, CHECK_spf));
        char *first = check_memory_take(&facts, CHECK_spf, sizeof zeros);
        cr_assert_not_null(first);
        cr_expect_arr_eq(first, zeros, sizeof zeros);
        first[0] = 1;
        char *other = check_memory_take(&facts, CHECK_greylist, sizeof zeros);
        cr_expect_neq(other, first);
        cr_expect_eq(check_memory_take(&facts, CHECK_spf, sizeof zeros), first);
        cr_expect_eq(check_memory_find(&facts, CHECK_spf), first);
        cr_expect_eq(first[0], 1);
        end();
}

Test(memory, there_is_none_before_mail)
{
        struct facts facts = begin(SIZE_MAX);

        facts.memory = NULL;
        cr_expect_null(check_memory_take(&facts, CHECK_spf, 8));
        cr_expect_null(check_memory_find(&facts, CHECK_spf));
        end();
}

/* Nobody is refused for it, and nobody passes; nothing is remembered. */
Test(memory, out_of_it_checks_defer)
{
        struct facts facts = begin(0);
        struct check_setting settings[CHECK_COUNT];
        const struct spf_detail *detail;
        struct verdict verdict = {0};

        for (enum check_id check = 0; check < CHECK_COUNT; check++)
                settings[check] = (struct check_setting){.mode = CHECK_MODE_ENFORCE};
        cr_expect_eq(spf_lookup(&facts, &detail), SPF_TEMPERROR);
        cr_expect_eq(check_greylist(&facts, &verdict), VERDICT_DEFER);
        cr_expect_eq(verdict.reply, REPLY_out_of_memory);
        hooks_commit(&facts, settings);
        hooks_stored(&facts);
        cr_expect_eq(hooks_text_begin(&facts, check_bit(CHECK_bounce_reference)), 0);
        cr_expect_eq(check_bounce_reference(&facts, &verdict), VERDICT_DEFER);
        end();
}
