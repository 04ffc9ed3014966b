/* Syncs of a journal that fail: what is committed before and after is there, and nothing else. */
#include "tests/unit/workers/journal/fixture.h"

TestSuite(journal_fault, .init = begin, .fini = end);

static int fault;

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

int __wrap_fdatasync(int fd)
{
        errno = fault;
        return fault != 0 ? -1 : __real_fdatasync(fd);
}

static void open_anew(void)
{
        close_it();
        cr_assert_eq(open_again(UINT64_C(4) * SEGMENT), JOURNAL_OPENED);
        cr_assert_eq(opened.damaged + opened.torn + opened.lost_segments, 0);
}

/* Puts a message without a commit. */
static void put_only(void)
{
        struct journal_message message = envelope();
        struct text room, *body = journal_store_body(&store, &room);
        struct journal_cursor nothing = {0};
        struct journal_place place;
        uint64_t sequence;

        cr_assert(journal_message_write(body, &message));
        journal_message_close(body);
        cr_assert_eq(journal_store_put(&store, JOURNAL_MESSAGE, body, &nothing, 0, &place, &sequence),
                     JOURNAL_PUT_DONE);
}

Test(journal_fault, a_batch_that_failed_has_never_been)
{
        uint64_t first = put_message(SPAN("one"));

        put_only();
        put_only();
        fault = EIO;
        cr_assert(!journal_store_commit(&store));
        cr_assert_eq(errno, EIO);
        fault = 0;
        cr_assert(!store.is_open, "its segment gets nothing more");
        cr_assert_eq(put_message(SPAN("two")), first + 1, "its numbers are given again");
        cr_assert_eq(store.segment.generation, 2);
        open_anew();
        cr_assert_eq(journal_index.waiting, 2);
        enum journal_read result;
        struct content text = text_of(journal_index_find(&journal_index, first + 1), &result);
        cr_assert(text.length == 3 && memcmp(text.first->octets, "two", 3) == 0);
        content_release(&text, &pool);
}

/* The header of the next segment may be on the disk: what is committed later must not be void by it. */
Test(journal_fault, a_segment_that_could_not_be_begun)
{
        bool is_bound;
        uint64_t first = put_message(SPAN("one"));

        fault = EIO;
        cr_assert(!journal_store_advance(&store, false, &is_bound) && !is_bound);
        fault = 0;
        cr_assert_eq(put_message(SPAN("two")), first + 1);
        cr_assert_eq(put_message(SPAN("three")), first + 2);
        open_anew();
        cr_assert_eq(journal_index.waiting, 3);
        cr_assert_eq(put_message(SPAN("four")), first + 3);
        open_anew();
        cr_assert_eq(journal_index.waiting, 4);
}

/* A file whose sync has failed is made anew before it is used again. */
Test(journal_fault, its_file_is_made_anew)
{
        struct stat before, after;
        char path[300];
        bool is_bound;

        put_message(SPAN("one"));
        snprintf(path, sizeof path, "%s/00000.segment", base);
        cr_assert_eq(stat(path, &before), 0);
        put_only();
        fault = EIO;
        cr_assert(!journal_store_commit(&store));
        fault = 0;
        for (int i = 0; i < 4; i++) {
                cr_assert(journal_store_advance(&store, false, &is_bound));
                atomic_store(&store.first_live, store.newest);
        }
        cr_assert_eq(stat(path, &after), 0);
        cr_assert(before.st_ino != after.st_ino || before.st_ctim.tv_nsec != after.st_ctim.tv_nsec);
        cr_assert(!store.folder.slots[0].is_unfit);
        open_anew();
        cr_assert_eq(journal_index.waiting, 0);
}
