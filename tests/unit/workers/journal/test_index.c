/* The index of a journal: who is due, in which order, and which generations are needed. */
#include "workers/journal/index.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct journal_index the_index;

static void end(void)
{
        journal_index_end(&the_index);
}

TestSuite(journal_index, .fini = end);

static uint32_t add(uint64_t sequence, uint64_t due_ms, const char *destination, uint64_t generation)
{
        struct journal_entry entry = {.sequence = sequence,
                                      .due_ms = due_ms,
                                      .first_generation = generation,
                                      .message = {generation, 4096, 128}};
        uint32_t number = journal_index_add(&the_index, &entry, span_from(destination));
        cr_assert_neq(number, JOURNAL_NONE);
        return number;
}

static uint64_t due(uint64_t now_ms)
{
        uint64_t next_ms;
        uint32_t entry = journal_index_due(&the_index, now_ms, 2, &next_ms);
        if (entry == JOURNAL_NONE)
                return 0;
        journal_index_take(&the_index, entry);
        return the_index.entries[entry].sequence;
}

Test(journal_index, the_first_that_is_due_comes_first)
{
        uint64_t next_ms;

        add(1, 30, "a", 1);
        add(2, 10, "a", 1);
        add(3, 20, "a", 1);
        cr_assert_eq(journal_index_due(&the_index, 9, 2, &next_ms), JOURNAL_NONE);
        cr_assert_eq(next_ms, 10);
        cr_assert_eq(due(30), 2);
        cr_assert_eq(due(30), 3);
        cr_assert_eq(due(30), 0, "two are away already");
        journal_index_put_back(&the_index, journal_index_find(&the_index, 3), 25);
        cr_assert_eq(due(30), 3);
        journal_index_remove(&the_index, journal_index_find(&the_index, 2));
        cr_assert_eq(due(30), 1);
}

Test(journal_index, destinations_take_turns_and_one_that_is_down_holds_nobody_up)
{
        for (uint64_t i = 0; i < 6; i++)
                add(10 + i, 0, i < 4 ? "a" : "b", 1);
        the_index.queues[0].retry_at_ms = 50;
        cr_assert_eq(due(10), 14);
        cr_assert_eq(due(10), 15);
        cr_assert_eq(due(10), 0);
        journal_index_put_back(&the_index, journal_index_find(&the_index, 14), 0);
        cr_assert_eq(due(50), 10);
        cr_assert_eq(due(50), 14);
        cr_assert_eq(due(50), 11);
}

/* It was set by a clock that is set back since. */
Test(journal_index, what_is_due_in_a_future_that_was_none_is_due_now)
{
        uint32_t first = add(1, 500, "a", 1), second = add(2, 5000, "a", 1);

        the_index.queues[0].retry_at_ms = 5000;
        for (uint32_t i = 0; i < the_index.used; i++)
                journal_index_hasten(&the_index, i, 10, 1000);
        cr_assert_eq(the_index.entries[first].due_ms, 500);
        cr_assert_eq(the_index.entries[second].due_ms, 10);
        cr_assert_eq(due(500), 0, "its destination waits too");
        journal_index_hasten_queues(&the_index, 10, 1000);
        cr_assert_eq(due(10), 2);
        journal_index_hasten(&the_index, second, 10, 0);
        cr_assert_eq(the_index.entries[second].state, JOURNAL_ENTRY_AWAY);
        the_index.queues[0].retry_at_ms = 900;
        journal_index_hasten_queues(&the_index, 10, 1000);
        cr_assert_eq(due(500), 0, "that is soon enough");
}

Test(journal_index, the_oldest_generation_that_is_needed)
{
        cr_assert_eq(journal_index_first_live(&the_index, 5), 5);
        uint32_t first = add(1, 0, "a", 3), second = add(2, 0, "a", 4), third = add(3, 0, "a", 3);
        cr_assert_eq(journal_index_first_live(&the_index, 5), 3);
        journal_index_remove(&the_index, first);
        cr_assert_eq(journal_index_first_live(&the_index, 5), 3);
        journal_index_take(&the_index, third);
        cr_assert(journal_index_move(&the_index, third, 9, &(struct journal_place){5, 4096, 128}, 5));
        cr_assert_eq(journal_index_first_live(&the_index, 5), 4);
        journal_index_remove(&the_index, second);
        cr_assert_eq(journal_index_first_live(&the_index, 7), 5);
        cr_assert_eq(journal_index_find(&the_index, 9), third);
}

/* Against a plain list, with random numbers. */
Test(journal_index, many_come_and_go)
{
        static uint64_t due_of[3000];
        unsigned seed = 1;

        for (uint64_t i = 1; i < 3000; i++) {
                due_of[i] = (uint64_t)rand_r(&seed) % 1000;
                add(i, due_of[i], "a", 1 + i / 100);
                if (i % 3 == 0) {
                        uint64_t gone = 1 + (uint64_t)rand_r(&seed) % i;
                        uint32_t entry = journal_index_find(&the_index, gone);
                        if (entry != JOURNAL_NONE)
                                journal_index_remove(&the_index, entry);
                        due_of[gone] = UINT64_MAX;
                }
        }
        uint32_t left = the_index.waiting;
        for (uint64_t before = 0; left > 0; left--) {
                uint64_t sequence = due(1000);
                cr_assert_neq(sequence, 0);
                cr_assert(due_of[sequence] >= before && due_of[sequence] != UINT64_MAX);
                before = due_of[sequence];
                journal_index_remove(&the_index, journal_index_find(&the_index, sequence));
        }
        cr_assert_eq(the_index.pin_count, 0);
        cr_assert_eq(due(1000), 0);
}
