/* Arenas: alignment, limit, reuse of blocks. */
#include "core/base/address_sanitizer.h"
#include "core/base/arena.h"

#include <criterion/criterion.h>

Test(arena, pieces_are_aligned_and_apart)
{
        struct block_pool pool;
        struct arena arena;
        char *before = NULL;

        block_pool_init(&pool, 256, 2);
        arena_init(&arena, &pool, 100000);
        for (size_t size = 1; size < 400; size += 7) {
                char *piece = arena_take(&arena, size);
                cr_assert_not_null(piece);
                cr_expect_eq((uintptr_t)piece % sizeof(void *), 0);
                cr_expect_neq(piece, before);
                memset(piece, (int)size, size);
                before = piece;
        }
        arena_end(&arena);
        cr_expect_leq(pool.free_count, 2);
        block_pool_end(&pool);
}

Test(arena, the_limit_holds)
{
        struct block_pool pool;
        struct arena arena;
        size_t taken = 0;

        block_pool_init(&pool, 256, 0);
        arena_init(&arena, &pool, 2000);
        while (arena_take(&arena, 100) != NULL)
                taken++;
        cr_expect(taken >= 8 && taken <= 20, "%zu", taken);
        cr_expect_null(arena_take(&arena, 5000));
        arena_end(&arena);
        cr_expect_not_null(arena_take(&arena, 100));
        arena_end(&arena);
        block_pool_end(&pool);
}

Test(arena, blocks_are_used_again)
{
        struct block_pool pool;
        struct arena arena;

        block_pool_init(&pool, 256, 1);
        arena_init(&arena, &pool, 10000);
        void *first = arena_take(&arena, 16);
        arena_end(&arena);
        cr_expect_eq(pool.free_count, 1);
        cr_expect_eq(arena_take(&arena, 16), first);
        arena_end(&arena);
        block_pool_end(&pool);
}

#ifdef IS_ADDRESS_SANITIZED
Test(arena, the_sanitizer_knows_what_is_nobodys)
{
        struct block_pool pool;
        struct arena arena;

        block_pool_init(&pool, 256, 1);
        arena_init(&arena, &pool, 10000);
        char *piece = arena_take(&arena, 13);
        cr_expect(!__asan_address_is_poisoned(piece) && !__asan_address_is_poisoned(piece + 12));
        cr_expect(__asan_address_is_poisoned(piece + 13));
        arena_end(&arena);
        cr_expect(__asan_address_is_poisoned(piece));
        block_pool_end(&pool);
}
#endif
