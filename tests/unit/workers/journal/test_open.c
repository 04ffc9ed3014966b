/* What a journal is after it was closed in whatever way: records, outcomes, torn and damaged ones, old ones. */
#include "tests/unit/workers/journal/fixture.h"

TestSuite(journal_open, .init = begin, .fini = end);

static void open_anew(void)
{
        close_it();
        cr_assert_eq(open_again(UINT64_C(4) * SEGMENT), JOURNAL_OPENED);
}

Test(journal_open, what_is_committed_is_there)
{
        struct content text;
        enum journal_read result;
        uint64_t first = put_message(SPAN("Subject: one\r\n\r\n")), second = put_message(SPAN("two"));

        open_anew();
        cr_assert_eq(journal_index.waiting, 2);
        cr_assert_eq(opened.damaged + opened.torn, 0);
        uint32_t entry = journal_index_find(&journal_index, first);
        cr_assert_neq(entry, JOURNAL_NONE);
        cr_assert_eq(journal_index.entries[entry].time_ms, 1700000000000);
        text = text_of(entry, &result);
        cr_assert_eq(result, JOURNAL_READ_DONE);
        cr_assert(span_equals(span_of(text.first->octets, text.length), SPAN("Subject: one\r\n\r\n")));
        content_release(&text, &pool);
        cr_assert_eq(put_message(SPAN("three")), second + 1);
        open_anew();
        cr_assert_eq(journal_index.waiting, 3);
}

Test(journal_open, outcomes_settle_a_message_or_say_when_it_is_due)
{
        uint8_t states[2];
        uint64_t first = put_message(SPAN("one")), second = put_message(SPAN("two"));

        put_outcome(first, SPAN("\1\2"));
        put_outcome(second, SPAN("\1\0"));
        open_anew();
        cr_assert_eq(journal_index.waiting, 1);
        cr_assert_eq(journal_index_find(&journal_index, first), JOURNAL_NONE);
        const struct journal_entry *entry =
            &journal_index.entries[journal_index_find(&journal_index, second)];
        cr_assert_eq(entry->due_ms, 5);
        cr_assert_eq(entry->attempts, 1);
        cr_assert_eq(journal_read_states(&store.folder, &entry->outcome, states, 2), JOURNAL_READ_DONE);
        cr_assert(states[0] == RECIPIENT_DONE && states[1] == RECIPIENT_WAITS);
}

Test(journal_open, long_messages_come_back_whole_from_their_pieces)
{
        struct journal_message message = envelope();
        struct journal_text piece = {.number = 1};
        struct journal_place place;
        enum journal_read result;
        static char octets[300000];

        memset(octets, 'x', sizeof octets);
        put(JOURNAL_TEXT, &piece, span_of(octets, sizeof octets), &place);
        piece = (struct journal_text){place.generation, place.offset, 2, {0}};
        message.chain.first_generation = place.generation;
        put(JOURNAL_TEXT, &piece, SPAN("middle"), &place);
        message.chain =
            (struct piece_chain){place.generation, message.chain.first_generation, 300006, place.offset, 2};
        uint64_t sequence = put(JOURNAL_MESSAGE, &message, SPAN("end"), &place);
        open_anew();
        struct content text = text_of(journal_index_find(&journal_index, sequence), &result);
        cr_assert_eq(result, JOURNAL_READ_DONE);
        cr_assert_eq(text.length, 300009);
        cr_assert_eq(memcmp(text.last->octets + text.last->length - 9, "middleend", 9), 0);
        content_release(&text, &pool);
}

Test(journal_open, a_torn_tail_is_cut_and_covered)
{
        char octets[8192];

        memset(octets, 'x', sizeof octets);
        put_message(SPAN("one"));
        put_message(span_of(octets, sizeof octets));
        /* The third block of the last batch has not reached the disk. */
        spoil(JOURNAL_BLOCK * 4, SPAN("what was there before"));
        open_anew();
        cr_assert_eq(journal_index.waiting, 1);
        cr_assert_eq(opened.torn, 1);
        cr_assert_eq(opened.damaged, 0);
        cr_assert(!is_saved("1-8192"));
        uint64_t sequence = put_message(SPAN("three"));
        put_message(SPAN("four"));
        open_anew();
        cr_assert_eq(opened.damaged + opened.torn, 0, "it is no damage later");
        cr_assert_eq(journal_index.waiting, 3);
        cr_assert_neq(journal_index_find(&journal_index, sequence), JOURNAL_NONE);
}

Test(journal_open, a_batch_whose_first_block_is_missing_is_torn)
{
        uint64_t first = put_message(SPAN("one"));
        struct journal_message message = envelope();
        struct content content = {0};
        struct journal_place place;
        uint64_t sequence;

        for (int i = 0; i < 100; i++) {
                struct text room, *body = journal_store_body(&store, &room);
                struct journal_cursor cursor = {0};
                cr_assert(journal_message_write(body, &message));
                journal_message_close(body);
                cr_assert_eq(journal_store_put(&store, JOURNAL_MESSAGE, body, &cursor, 0, &place, &sequence),
                             JOURNAL_PUT_DONE);
        }
        cr_assert(journal_store_commit(&store));
        content_release(&content, &pool);
        char zeros[JOURNAL_BLOCK] = {0};
        spoil(JOURNAL_BLOCK * 2, span_of(zeros, sizeof zeros));
        open_anew();
        cr_assert(opened.torn > 5 && opened.torn < 50, "%lu", opened.torn);
        cr_assert_eq(opened.damaged, 0);
        cr_assert_eq(journal_index.waiting, 101 - opened.torn);
        cr_assert_neq(journal_index_find(&journal_index, first), JOURNAL_NONE);
        open_anew();
        cr_assert_eq(opened.damaged + opened.torn, 0);
        put_message(SPAN("next"));
        open_anew();
        cr_assert_eq(opened.damaged + opened.torn, 0);
}

Test(journal_open, a_damaged_record_is_set_aside_and_counted)
{
        uint64_t first = put_message(SPAN("one")), second = put_message(SPAN("two")),
                 third = put_message(SPAN("three"));

        spoil(JOURNAL_BLOCK * 2 + 70, SPAN("!"));
        open_anew();
        cr_assert_eq(opened.damaged, 1);
        cr_assert_eq(opened.torn, 0);
        cr_assert(is_saved("1-8192"));
        cr_assert_neq(journal_index_find(&journal_index, first), JOURNAL_NONE);
        cr_assert_eq(journal_index_find(&journal_index, second), JOURNAL_NONE);
        cr_assert_neq(journal_index_find(&journal_index, third), JOURNAL_NONE);
        spoil(JOURNAL_BLOCK + 20, SPAN("!"));
        open_anew();
        cr_assert_eq(opened.damaged, 2, "the head is damaged, too");
        cr_assert(is_saved("1-4096"));
}

Test(journal_open, a_mark_makes_the_last_batch_known)
{
        put_message(SPAN("one"));
        journal_store_mark(&store, true);
        spoil(JOURNAL_BLOCK + 70, SPAN("!"));
        open_anew();
        cr_assert_eq(opened.damaged, 1);
        cr_assert_eq(opened.torn, 0);
        put_message(SPAN("two"));
        open_anew();
        cr_assert_eq(journal_index.waiting, 1);
        cr_assert_eq(opened.damaged, 1);
}

Test(journal_open, a_header_is_there_twice)
{
        put_message(SPAN("one"));
        spoil(0, SPAN("!"));
        open_anew();
        cr_assert_eq(journal_index.waiting, 1);
        cr_assert_eq(opened.lost_segments, 0);
        spoil(SEGMENT - JOURNAL_BLOCK, SPAN("!"));
        open_anew();
        cr_assert_eq(journal_index.waiting, 0);
        cr_assert_eq(opened.lost_segments, 1);
        put_message(SPAN("two"));
        open_anew();
        cr_assert_eq(journal_index.waiting, 1);
        cr_assert_eq(opened.lost_segments, 0);
}

/* Fills the journal with messages that are settled at once, until some segment has been used three times. */
Test(journal_open, what_a_segment_held_before_is_never_read)
{
        static char octets[500000];
        uint64_t kept = 0;

        memset(octets, 'x', sizeof octets);
        for (int i = 0; i < 100; i++) {
                uint64_t sequence = put_message(span_of(octets, sizeof octets));
                if (i == 90)
                        kept = sequence;
                else
                        put_outcome(sequence, SPAN("\1\1"));
                if (i < 90)
                        atomic_store(&store.first_live, store.newest);
        }
        cr_assert(store.newest > 9);
        open_anew();
        cr_assert_eq(journal_index.waiting, 1);
        cr_assert_neq(journal_index_find(&journal_index, kept), JOURNAL_NONE);
        cr_assert_eq(opened.damaged + opened.torn, 0);
        cr_assert(atomic_load(&store.first_live) <= store.newest);
}

Test(journal_open, a_full_journal_says_so)
{
        static char octets[1000000];
        struct journal_message message = envelope();
        bool is_bound = false;

        for (int i = 0; !is_bound; i++) {
                cr_assert(i < 100);
                put_message(span_of(octets, 1000));
                /* As if it were full: the next segment, please. */
                if (!journal_store_advance(&store, false, &is_bound))
                        cr_assert(is_bound && errno == ENOSPC);
        }
        cr_assert_eq(store.newest, 4);
        (void)message;
        open_anew();
        cr_assert_eq(journal_index.waiting, 4);
}

Test(journal_open, two_processes_cannot_have_it)
{
        struct journal_store other = {.folder = {.fd = -1, .lock = -1}};
        struct journal_index others = {0};
        struct journal_opening_report report;

        cr_assert_eq(journal_open(&other, base, SEGMENT, SEGMENT * 4, &others, &report), JOURNAL_IS_TAKEN);
        journal_index_end(&others);
}

/* The message was moved, and its segment could be freed: it is there once. */
Test(journal_open, a_moved_message_is_there_once)
{
        struct journal_message message = envelope();
        struct journal_place place;
        uint64_t first = put_message(SPAN("one"));

        message.replaces = first;
        message.attempts = 7;
        uint64_t second = put(JOURNAL_MESSAGE, &message, SPAN("one"), &place);
        open_anew();
        cr_assert_eq(journal_index.waiting, 1);
        cr_assert_eq(journal_index.entries[journal_index_find(&journal_index, second)].attempts, 7);
}
