/* Tests of the memory that getdns works with. */
#include "dns/pool/memory.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#define PIECES 3000

/* Of all classes, of chunks' ends, and larger than any class. */
static size_t size_number(unsigned i)
{
        return i % 7 == 0 ? i * 5 : i % 300;
}

Test(dns_memory, pieces_do_not_overlap_and_are_aligned)
{
        static unsigned char *pieces[PIECES];
        struct dns_memory memory = {0};

        for (unsigned i = 0; i < PIECES; i++) {
                pieces[i] = dns_memory_take(&memory, size_number(i));
                cr_assert(pieces[i] != NULL && (uintptr_t)pieces[i] % 16 == 0);
                memset(pieces[i], (int)(i & 255), size_number(i));
        }
        for (unsigned i = 0; i < PIECES; i++) {
                for (size_t j = 0; j < size_number(i); j++)
                        cr_assert_eq(pieces[i][j], i & 255);
                dns_memory_give(&memory, pieces[i]);
        }
        dns_memory_end(&memory);
}

Test(dns_memory, what_is_given_back_is_taken_again)
{
        struct dns_memory memory = {0};
        void *first = dns_memory_take(&memory, 100);

        dns_memory_give(&memory, first);
        cr_assert_eq(dns_memory_take(&memory, 97), first);
        cr_assert_neq(dns_memory_take(&memory, 97), first);
        dns_memory_end(&memory);
}

Test(dns_memory, resizing_keeps_the_octets)
{
        static const size_t sizes[] = {1, 40, 49, 500, 2100, 90000, 3000, 60, 1};
        struct dns_memory memory = {0};
        unsigned char *piece = NULL;
        size_t before = 0;

        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
                piece = dns_memory_resize(&memory, piece, sizes[i]);
                for (size_t j = 0; j < sizes[i] && j < before; j++)
                        cr_assert_eq(piece[j], j & 255, "octet %zu of %zu", j, sizes[i]);
                for (size_t j = 0; j < sizes[i]; j++)
                        piece[j] = j & 255;
                before = sizes[i];
        }
        dns_memory_give(&memory, piece);
        dns_memory_give(&memory, NULL);
        dns_memory_end(&memory);
}

Test(dns_memory, impossible_sizes_are_refused)
{
        struct dns_memory memory = {0};

        cr_assert_null(dns_memory_take(&memory, SIZE_MAX));
        cr_assert_null(dns_memory_take(&memory, SIZE_MAX - 8));
        dns_memory_end(&memory);
}

/* As getdns does with a list: what is copied is bounded by a multiple of what it becomes. */
Test(dns_memory, a_piece_that_grows_by_little_moves_seldom)
{
        struct dns_memory memory = {0};
        void *piece = NULL;
        unsigned moves = 0;

        for (size_t size = 160; size < 1000000; size += 160) {
                void *more = dns_memory_resize(&memory, piece, size);
                moves += more != piece;
                piece = more;
        }
        cr_expect_leq(moves, 15u);
        dns_memory_give(&memory, piece);
        dns_memory_end(&memory);
}
