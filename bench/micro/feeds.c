/* What a list of a DNS zone in memory costs: to read, to hold, and to ask. Argument: entries, 10 million by default;
 * half of the questions are for what is listed. Times are of the processor, so that what else the machine does
 * counts less. */
#include "core/base/expect.h"
#include "core/feed/builder.h"
#include "core/feed/internal.h"
#include "workers/feed/huge_pages.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ENTRIES   UINT32_C(10000000)
#define QUESTIONS UINT32_C(400000) /* in a round */
#define ROUNDS    9
#define PIECE     262144

static uint64_t listed; /* so that nothing is left out */

static double now_s(void)
{
        struct timespec time;

        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* The number in another order: no two give the same one. */
static uint32_t mixed(uint32_t number)
{
        number *= 0x9e3779b1u;
        number ^= number >> 16;
        number *= 0x85ebca6bu;
        return number ^ number >> 13;
}

/* In the order of a file as lists come, or in none. Only writing the text is not counted. */
static double read_entries(struct feed_builder *builder, uint32_t entries, bool is_sorted)
{
        static char octets[PIECE];
        struct text text;
        double spent_s = 0;

        text_over(&text, octets, sizeof octets);
        for (uint32_t i = 0; i <= entries; i++) {
                if (i == entries || text_room(&text) < 64) {
                        double began_s = now_s();
                        expect(feed_read(builder, text_span(&text)));
                        spent_s += now_s() - began_s;
                        text.length = 0;
                }
                uint32_t address = is_sorted ? (uint32_t)((uint64_t)i * UINT32_MAX / entries) : mixed(i);
                for (int shift = 24; shift >= 0; shift -= 8) {
                        text_put_number(&text, address >> shift & 255);
                        text_put_char(&text, shift == 0 ? '\n' : '.');
                }
        }
        return spent_s;
}

static double by_address(const struct feed *feed, uint32_t entries, uint32_t round)
{
        const struct feed_ranges *ranges = &feed->sets[0].ranges;
        double began_s = now_s();

        for (uint32_t i = round * QUESTIONS; i < (round + 1) * QUESTIONS; i++)
                listed += feed_ranges_find(ranges, i % 2 == 0 ? mixed(mixed(i) % entries)
                                                              : mixed(UINT32_MAX - i)) != 0;
        return now_s() - began_s;
}

/* Each waits for the one before it. */
static double one_after_another(const struct feed *feed, uint32_t entries, uint32_t round)
{
        const struct feed_ranges *ranges = &feed->sets[0].ranges;
        uint32_t last = 0;
        double began_s = now_s();

        for (uint32_t i = round * QUESTIONS; i < (round + 1) * QUESTIONS; i++)
                last = feed_ranges_find(ranges, mixed(mixed(i + (last & 1)) % entries));
        listed += last;
        return now_s() - began_s;
}

static double by_name(const struct feed *feed, uint32_t entries, uint32_t round)
{
        static struct feed_answer answer;
        char octets[64];
        struct text name;
        double began_s = now_s();

        for (uint32_t i = round * QUESTIONS; i < (round + 1) * QUESTIONS; i++) {
                uint32_t address = mixed(mixed(i) % entries);
                text_over(&name, octets, sizeof octets);
                for (int shift = 0; shift < 32; shift += 8) {
                        text_put_number(&name, address >> shift & 255);
                        text_put(&name, shift < 24 ? SPAN(".") : SPAN(""));
                }
                listed += feed_find(feed, text_span(&name), FEED_ADDRESSES, &answer);
        }
        return now_s() - began_s;
}

static int compare(const void *left, const void *right)
{
        double one = *(const double *)left, other = *(const double *)right;

        return one < other ? -1 : one > other;
}

static void ask(const char *what, double (*questions)(const struct feed *, uint32_t, uint32_t),
                const struct feed *feed, uint32_t entries)
{
        double took_s[ROUNDS];

        for (uint32_t round = 0; round < ROUNDS; round++)
                took_s[round] = questions(feed, entries, round);
        qsort(took_s, ROUNDS, sizeof *took_s, compare);
        printf("look-up %s: %.0f ns, the best of %d rounds %.0f\n", what,
               took_s[ROUNDS / 2] * 1e9 / QUESTIONS, ROUNDS, took_s[0] * 1e9 / QUESTIONS);
}

static void measure(uint32_t entries, bool is_sorted)
{
        const struct feed_wish wish = {
            .format = FEED_IP4SET, .memory_max = SIZE_MAX, .take_memory = huge_pages_take};
        struct feed_builder *builder = feed_builder_create(&wish);
        struct feed_report report;

        expect(builder != NULL);
        feed_begin_file(builder, "made");
        double read_s = read_entries(builder, entries, is_sorted), began_s = now_s();
        struct feed *feed = feed_finish(builder, &report);
        expect(feed != NULL);
        printf("%s: read in %.2f s, %.2f s of them lines; %zu octets, %.1f of an entry\n",
               is_sorted ? "in order" : "in none", read_s + now_s() - began_s, read_s, feed_octets(feed),
               (double)feed_octets(feed) / entries);
        if (!is_sorted) {
                ask("by address", by_address, feed, entries);
                ask("one after another", one_after_another, feed, entries);
                ask("by name, with making it", by_name, feed, entries);
                expect(listed > 0);
        }
        feed_free(feed);
}

int main(int argc, char **argv)
{
        uint64_t entries = ENTRIES;

        if (argc > 1 && (!span_number(span_from(argv[1]), &entries) || entries == 0 || entries > UINT32_MAX))
                return 2;
        printf("%" PRIu64 " addresses\n", entries);
        measure((uint32_t)entries, true);
        measure((uint32_t)entries, false);
        return 0;
}
