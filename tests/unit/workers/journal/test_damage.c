/* Random damage of a journal's files: what is read was written, and what is lost is told. */
#include "tests/unit/workers/journal/fixture.h"

TestSuite(journal_damage, .init = begin, .fini = end, .timeout = 60);

#define MESSAGES 60
#define ROUNDS   60

static char text_octets[3000];
static unsigned seed = 7;

static uint32_t random_below(uint32_t bound)
{
        return (uint32_t)rand_r(&seed) % bound;
}

/* Text that tells its number, so that a wrong one is seen. */
static struct span text_of_number(uint32_t number)
{
        size_t length = 20 + number * 37 % 2500;
        memset(text_octets, 'a' + (int)(number % 26), length);
        memcpy(text_octets, &number, sizeof number);
        return span_of(text_octets, length);
}

static void open_anew(void)
{
        close_it();
        cr_assert_eq(open_again(UINT64_C(4) * SEGMENT), JOURNAL_OPENED);
}

/* Each one that waits reads as it was written, or not at all; returns how many do. */
static uint32_t check_texts(void)
{
        uint32_t count = 0;

        for (uint32_t i = 0; i < journal_index.used; i++) {
                enum journal_read result;
                if (journal_index.entries[i].state == JOURNAL_ENTRY_FREE)
                        continue;
                struct content text = text_of(i, &result);
                if (result == JOURNAL_READ_DONE) {
                        uint32_t number = (uint32_t)journal_index.entries[i].sequence;
                        struct span expected = text_of_number(number);
                        cr_assert_eq(text.length, expected.length);
                        cr_assert_eq(memcmp(text.first->octets, expected.at, expected.length), 0);
                        count++;
                }
                content_release(&text, &pool);
        }
        return count;
}

static void fill(uint32_t from)
{
        for (uint32_t i = from; i < from + MESSAGES; i++)
                cr_assert_eq(put_message(text_of_number(i)), i);
}

Test(journal_damage, flipped_octets_anywhere)
{
        static char before[SEGMENT];
        uint32_t lost = 0;

        fill(1);
        journal_store_mark(&store, true);
        journal_slot_read(&store.folder, 0, before, SEGMENT);
        for (int i = 0; i < ROUNDS; i++) {
                uint32_t at = JOURNAL_BLOCK + random_below(MESSAGES * JOURNAL_BLOCK);
                char flipped = (char)(before[at] ^ (1 << random_below(8)));
                spoil(at, span_of(&flipped, 1));
                open_anew();
                cr_assert_eq(journal_index.waiting + opened.damaged, MESSAGES, "at %u", at);
                cr_assert(opened.damaged <= 1 && opened.torn == 0);
                cr_assert_eq(check_texts(), journal_index.waiting);
                lost += (uint32_t)opened.damaged;
                spoil(at, span_of(&before[at], 1));
        }
        cr_assert(lost > 0 && lost < ROUNDS, "some octets are padding");
        open_anew();
        cr_assert_eq(journal_index.waiting, MESSAGES);
}

/* A batch of so many messages; each tells its number. */
static void put_batch(uint32_t count)
{
        struct content all = {0};
        struct journal_message message = envelope();
        struct journal_place place;
        uint64_t sequence;

        for (uint32_t i = 0; i < count; i++) {
                struct text room, *body = journal_store_body(&store, &room);
                struct content one = {0};
                cr_assert(content_append(&one, &pool, text_of_number((uint32_t)store.sequence + 1)));
                cr_assert(journal_message_write(body, &message));
                journal_message_close(body);
                struct journal_cursor cursor = {one.first, 0, one.length};
                cr_assert_eq(
                    journal_store_put(&store, JOURNAL_MESSAGE, body, &cursor, one.length, &place, &sequence),
                    JOURNAL_PUT_DONE);
                one.last->next = all.first;
                all.first = one.first;
        }
        cr_assert(journal_store_commit(&store));
        content_release(&all, &pool);
}

/* Some sectors of the last batch have not come to the disk, and what was there before is there still: whole records are
 * kept, the others are cut, and the journal goes on. */
Test(journal_damage, torn_batches)
{
        static char before[SEGMENT];
        uint64_t torn = 0;

        fill(1);
        for (int round = 0; round < 20; round++) {
                uint32_t known = journal_index.waiting, begun_at = store.position;
                journal_slot_read(&store.folder, 0, before, SEGMENT);
                put_batch(20);
                uint32_t ended_at = store.position;
                for (uint32_t at = begun_at; at < ended_at; at += 512)
                        if (random_below(12) == 0)
                                spoil(at, span_of(&before[at], 512));
                open_anew();
                torn += opened.torn;
                uint32_t waiting = journal_index.waiting;
                cr_assert_eq(opened.damaged, 0, "round %d", round);
                cr_assert(round == 0 || (waiting >= known && waiting <= known + 20));
                cr_assert_eq(check_texts(), waiting);
                open_anew();
                cr_assert_eq(opened.damaged + opened.torn, 0);
                cr_assert_eq(journal_index.waiting, waiting);
        }
        cr_assert(torn > 20 && journal_index.waiting > MESSAGES + 20);
}
