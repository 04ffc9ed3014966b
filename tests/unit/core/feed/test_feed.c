/* Feeds: each format, what overlaps, values and their texts, what is in error, and bounds. The same answers as
 * rbldnsd's are the matter of integration/feeds. */
#include "core/feed/builder.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define NOW_S 1800000000

static struct feed *feed_of(enum feed_format format, bool lists_names, const char *text,
                            struct feed_report *report)
{
        const struct feed_wish wish = {
            .format = format, .lists_names = lists_names, .memory_max = 1 << 24, .now_s = NOW_S};
        struct feed_builder *builder = feed_builder_create(&wish);

        feed_begin_file(builder, "made.txt");
        /* In pieces, so that lines end anywhere. */
        for (struct span rest = span_from(text); rest.length > 0; rest = span_skip(rest, 7))
                feed_read(builder, span_of(rest.at, rest.length < 7 ? rest.length : 7));
        return feed_finish(builder, report);
}

/* "127.0.0.2,127.0.0.5|text" */
static void expect_answer(const struct feed *feed, const char *name, const char *expected)
{
        char octets[FEED_ANSWER_OCTETS + 256];
        struct feed_answer answer;
        struct text found;

        text_over(&found, octets, sizeof octets);
        feed_find(feed, span_from(name), FEED_ADDRESSES, &answer);
        for (size_t i = 0; i < answer.count; i++) {
                const uint8_t *address = (const uint8_t *)answer.records[i].at;
                text_printf(&found, "%s%u.%u.%u.%u", i > 0 ? "," : "", address[0], address[1], address[2],
                            address[3]);
        }
        feed_find(feed, span_from(name), FEED_TEXTS, &answer);
        for (size_t i = 0; i < answer.count; i++) {
                text_put_char(&found, '|');
                text_put(&found, answer.records[i]);
        }
        cr_expect(span_equals(text_span(&found), span_from(expected)), "%s: %.*s, not %s", name,
                  (int)found.length, found.at, expected);
}

struct question {
        const char *name, *answer;
};

/* Frees the feed. */
static void expect_answers_from(struct feed *feed, const struct feed_report *report,
                                const struct question *questions)
{
        cr_assert_not_null(feed, "%s", report->told[0]);
        cr_expect_eq(report->faults, 0, "%s", report->told[0]);
        for (; questions->name != NULL; questions++)
                expect_answer(feed, questions->name, questions->answer);
        feed_free(feed);
}

static void expect_answers(enum feed_format format, bool lists_names, const char *text,
                           const struct question *questions)
{
        struct feed_report report;

        expect_answers_from(feed_of(format, lists_names, text, &report), &report, questions);
}

Test(feed, sets_take_the_narrowest_of_whole_octets)
{
        expect_answers(FEED_IP4SET, false,
                       ":2:Listed: $\n"
                       "10/8\n!10.1/16\n10.1.2.0-10.1.3.5 :6:\n10.1.2.3 :5\n192.0.2.1-7 Only text\n"
                       "10.8.0.0/15 :9:wide\n",
                       (const struct question[]){{"4.3.2.10", "127.0.0.2|Listed: 10.2.3.4"},
                                                 {"1.0.1.10", ""},
                                                 {"3.2.1.10", "127.0.0.5|Listed: 10.1.2.3"},
                                                 {"9.2.1.10", "127.0.0.6"},
                                                 {"5.3.1.10", "127.0.0.6"},
                                                 {"6.3.1.10", ""},
                                                 {"7.2.0.192", "127.0.0.2|Only text"},
                                                 {"8.2.0.192", ""},
                                                 {"0.2.0.192", ""},
                                                 {0}});
}

Test(feed, a_range_whose_host_bits_are_set_is_in_error)
{
        struct feed_report report;
        struct feed *feed = feed_of(FEED_IP4SET, false, "10.9.0.1/16\n", &report);

        cr_expect_null(feed);
        cr_expect_eq(report.faults, 1);
        cr_expect(strstr(report.told[0], "made.txt:1: its host bits are not zero") != NULL, "%s",
                  report.told[0]);
}

Test(feed, tries_take_the_longest_and_of_equal_ones_the_first)
{
        expect_answers(FEED_IP4TRIE, false,
                       "10.0.0.0/8 :3\n10.0.0.0/12 :4\n!10.0.0.0/20\n10.0.0.7 :5\n10.0.0.7 :6\n0/0 :9\n",
                       (const struct question[]){{"7.0.0.10", "127.0.0.5"},
                                                 {"8.0.0.10", ""},
                                                 {"0.16.0.10", "127.0.0.4"},
                                                 {"0.0.16.10", "127.0.0.3"},
                                                 {"255.255.255.255", "127.0.0.9"},
                                                 {"0.0.0.0", "127.0.0.9"},
                                                 {0}});
}

Test(feed, several_values_of_one_entry_are_all_told)
{
        expect_answers(
            FEED_IP4SET, false, "1.2.3.4 :4:four\n1.2.3.4 :5:five\n1.2.3.4 :4:four\n1.2.3.5 :4\n!1.2.3.5\n",
            (const struct question[]){{"4.3.2.1", "127.0.0.4,127.0.0.5|four|five"}, {"5.3.2.1", ""}, {0}});
}

Test(feed, trivial_sets_have_one_value)
{
        expect_answers(FEED_IP4TSET, false, "1.2.3.4\n:7:seven $\n:8:eight\n1.2.3.5\n",
                       (const struct question[]){{"4.3.2.1", "127.0.0.7|seven 1.2.3.4"},
                                                 {"5.3.2.1", "127.0.0.7|seven 1.2.3.5"},
                                                 {0}});
        expect_answers(FEED_IP6TSET, false, "2001:db8:0:1\n!2001:db8:0:1::5\n",
                       (const struct question[]){
                           {"4.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2", "127.0.0.2"},
                           {"5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2", ""},
                           {0}});
}

Test(feed, networks_of_ipv6)
{
        expect_answers(
            FEED_IP6TRIE, false, ":3:v6 $\n2001:db8::/32\n!2001:db8:0:1::/64\n2001:db8:0:1::5 :4\n::1\n",
            (const struct question[]){
                {"4.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2",
                 "127.0.0.3|v6 2001:db8:0:2::4"},
                {"4.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2", ""},
                {"5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2",
                 "127.0.0.4|v6 2001:db8:0:1::5"},
                {"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0", "127.0.0.3|v6 ::1"},
                {0}});
}

Test(feed, names_and_wildcards)
{
        expect_answers(FEED_DNSET, true,
                       ":2:see $\nplain.example\n.both.example\n*.below.example "
                       ":3\n!not.below.example\n*.deep.below.example :4\n",
                       (const struct question[]){{"plain.example", "127.0.0.2|see plain.example"},
                                                 {"x.plain.example", ""},
                                                 {"both.example", "127.0.0.2|see both.example"},
                                                 {"a.b.both.example", "127.0.0.2|see both.example"},
                                                 {"below.example", ""},
                                                 {"x.below.example", "127.0.0.3|see below.example"},
                                                 {"not.below.example", ""},
                                                 {"y.deep.below.example", "127.0.0.4|see deep.below.example"},
                                                 {"deep.below.example", "127.0.0.3|see below.example"},
                                                 {0}});
}

Test(feed, variables_and_base_templates)
{
        expect_answers(FEED_IP4SET, false,
                       "$1 one\n$1 not this\n#$2 two $\n$= See bl?$= ($) $2\n1.1.1.1 r1 $1 $$ "
                       "$9\n1.1.1.2\n1.1.1.3 =alone $\n",
                       (const struct question[]){{"1.1.1.1", "127.0.0.2|See bl?r1 $1 $$ $9 (1.1.1.1) two $"},
                                                 {"2.1.1.1", "127.0.0.2|See bl?1.1.1.2 (1.1.1.2) two $"},
                                                 {"3.1.1.1", "127.0.0.2|alone 1.1.1.3"},
                                                 {0}});
}

Test(feed, combined_files_have_subzones)
{
        expect_answers(FEED_AUTO, false,
                       "$SOA 1 a b 0 1 1 1 1\n$1 common\n$DATASET ip4set:x proxies "
                       "@\n:2:$1\n127.0.0.2\n$DATASET ip4set relays\n:3:\n127.0.0.2\n"
                       "$DATASET generic proxies @\n@ A 127.0.0.8\nwww 1h IN TXT \"text $\"\n",
                       (const struct question[]){{"2.0.0.127", "127.0.0.2|common"},
                                                 {"2.0.0.127.proxies", "127.0.0.2|common"},
                                                 {"2.0.0.127.relays", "127.0.0.3"},
                                                 {"2.0.0.127.other", ""},
                                                 {"", "127.0.0.8"},
                                                 {"www.proxies", "|text $"},
                                                 {0}});
}

Test(feed, plain_lists_are_of_both_families_or_of_names)
{
        static const struct question addresses[] = {
            {"1.2.0.192", "127.0.0.2"},
            {"4.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2", "127.0.0.2"},
            {0}};

        expect_answers(FEED_LIST, false, "192.0.2.0/24\r\n2001:db8::/32 # ours\n\n", addresses);
        expect_answers(
            FEED_LIST, true, "bad.example\n.worse.example",
            (const struct question[]){{"bad.example", "127.0.0.2"}, {"x.worse.example", "127.0.0.2"}, {0}});
}

/* ---- what is in error ------------------------------------------------------------------------------------ */

Test(feed, lines_in_error_are_told_with_their_place)
{
        static const struct {
                enum feed_format format;
                const char *text, *told;
        } rows[] = {
            {FEED_IP4SET, "1.2.3.4\n1.2.3.400\n", "made.txt:2: not an IPv4 address or range"},
            {FEED_IP4SET, "1.2.3.4 :x\n", "made.txt:1: the address of its value cannot be read"},
            {FEED_IP4SET, "1.2.3.4 :2 x\n", "made.txt:1: its value cannot be read"},
            {FEED_IP4SET, "$MAXRANGE4 /24\n1.2/16\n", "made.txt:2: a range larger than $MAXRANGE4"},
            {FEED_IP4SET, "$NOTHING\n", "made.txt:1: a special line that cannot be read"},
            {FEED_IP6TRIE, "2001:db8::1::2\n", "made.txt:1: not an IPv6 network"},
            {FEED_DNSET, "..\n", "made.txt:1: not a domain name"},
            {FEED_LIST, "bad.example\n", "made.txt:1: not an address or network"},
            {FEED_COMBINED, "1.2.3.4\n", "made.txt:1: stands before the first $DATASET"},
            {FEED_COMBINED, "$DATASET nothing @\n", "made.txt:1: a type of $DATASET that cannot be read"},
            {FEED_IP4SET, "$TIMESTAMP 2038:01:01\n1.2.3.4\n",
             "made.txt:1: was made in the future, by its $TIMESTAMP"},
        };

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                struct feed_report report;
                cr_expect_null(feed_of(rows[i].format, false, rows[i].text, &report), "%s", rows[i].text);
                cr_expect(report.is_broken);
                cr_expect_str_eq(report.told[0], rows[i].told);
        }
}

Test(feed, one_line_in_a_hundred_may_be_in_error)
{
        char octets[4096];
        struct text text;
        struct feed_report report;

        text_over(&text, octets, sizeof octets);
        text_put_string(&text, "nonsense\n");
        for (unsigned i = 0; i < 99; i++)
                text_printf(&text, "1.2.%u.1\n", i);
        octets[text.length] = '\0';
        struct feed *feed = feed_of(FEED_IP4SET, false, octets, &report);
        cr_assert_not_null(feed);
        cr_expect_eq(report.faults, 1);
        cr_expect_eq(feed_entries(feed), 99);
        feed_free(feed);
        octets[text.length - strlen("1.2.98.1\n")] = '\0';
        cr_expect_null(feed_of(FEED_IP4SET, false, octets, &report), "one in 99");
}

Test(feed, memory_has_a_bound)
{
        const struct feed_wish wish = {.format = FEED_IP4SET, .memory_max = 1 << 20, .now_s = NOW_S};
        struct feed_builder *builder = feed_builder_create(&wish);
        struct feed_report report;
        char line[64];
        unsigned lines = 0;

        feed_begin_file(builder, "large");
        for (bool goes_on = true; goes_on && lines < 1000000; lines++) {
                int length = snprintf(line, sizeof line, "10.%u.%u.%u\n", lines >> 16 & 255, lines >> 8 & 255,
                                      lines & 255);
                goes_on = feed_read(builder, span_of(line, (size_t)length));
        }
        cr_expect(lines < 100000, "%u lines", lines);
        cr_expect_null(feed_finish(builder, &report));
        cr_expect(strstr(report.told[0], "needs more memory") != NULL, "%s", report.told[0]);
}

Test(feed, times_and_lines_too_long)
{
        static char octets[6000];
        struct feed_report report;
        struct feed *feed =
            feed_of(FEED_IP4SET, false, "$TIMESTAMP 2026:11:28:12:30 +1h\n1.2.3.4\n", &report);

        cr_assert_not_null(feed);
        cr_expect_eq(feed_expires_s(feed), 1795872600, "%lld", (long long)feed_expires_s(feed));
        feed_free(feed);
        memset(octets, 'x', 5000);
        snprintf(octets + 5000, 100, "\n1.2.3.4\n");
        cr_expect_null(feed_of(FEED_IP4SET, false, octets, &report));
        cr_expect_str_eq(report.told[0], "made.txt:1: a line longer than 4096 octets");
}

/* In whatever pieces it comes, also where it would be an entry but for its length. */
Test(feed, a_long_line_is_in_error_in_one_piece_too)
{
        const struct feed_wish wish = {.format = FEED_IP4SET, .memory_max = 1 << 24, .now_s = NOW_S};
        static const size_t lengths[] = {4096, 4097, 1 << 20};
        static char octets[(1 << 20) + 1];

        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
                struct feed_builder *builder = feed_builder_create(&wish);
                struct feed_report report;
                memset(octets, 'x', sizeof octets);
                memcpy(octets, "1.2.3.4 :2:", 11);
                octets[lengths[i]] = '\n';
                feed_begin_file(builder, "made.txt");
                feed_read(builder, span_of(octets, lengths[i] + 1));
                struct feed *feed = feed_finish(builder, &report);
                cr_expect_eq(report.faults, lengths[i] > 4096, "%zu octets", lengths[i]);
                cr_expect_eq(report.entries, lengths[i] <= 4096, "%zu octets", lengths[i]);
                feed_free(feed);
        }
}

Test(feed, names_of_files_tell_the_format)
{
        static const struct {
                const char *name, *text, *question;
        } rows[] = {
            {"/x/sbl.ip4trie", "1.2.3.4/30\n", "7.3.2.1"},
            {"ip4tset-xbl", "1.2.3.7\n", "7.3.2.1"},
            {"dbl.dnset", "bad.example\n", "bad.example"},
        };

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                const struct feed_wish wish = {.memory_max = 1 << 24, .now_s = NOW_S};
                struct feed_builder *builder = feed_builder_create(&wish);
                struct feed_report report;
                feed_begin_file(builder, rows[i].name);
                feed_read(builder, span_from(rows[i].text));
                struct feed *feed = feed_finish(builder, &report);
                cr_assert_not_null(feed, "%s: %s", rows[i].name, report.told[0]);
                expect_answer(feed, rows[i].question, "127.0.0.2");
                feed_free(feed);
        }
}

/* ---- variables of several files -------------------------------------------------------------------------- */

struct file {
        const char *name, *text;
};

static void expect_answers_of(const struct file *files, const struct question *questions)
{
        const struct feed_wish wish = {.memory_max = 1 << 24, .now_s = NOW_S};
        struct feed_builder *builder = feed_builder_create(&wish);
        struct feed_report report;

        for (; files->name != NULL; files++) {
                feed_begin_file(builder, files->name);
                feed_read(builder, span_from(files->text));
        }
        expect_answers_from(feed_finish(builder, &report), &report, questions);
}

Test(feed, files_of_different_formats_have_variables_of_their_own)
{
        expect_answers_of(
            (const struct file[]){{"ip4set", "$= address $ $1\n$1 one\n1.1.1.1\n"},
                                  {"ip4trie", "$= trie $ $1\n1.1.1.2\n"},
                                  {"dnset", "$= name $ $1\n$1 two\nbad.example\n"},
                                  {"combined", "$1 three\n$DATASET ip4set sub\n:2:$1 $2\n1.1.1.3\n"},
                                  {0}},
            (const struct question[]){{"1.1.1.1", "127.0.0.2|address 1.1.1.1 one"},
                                      {"2.1.1.1", "127.0.0.2|trie 1.1.1.2 $1"},
                                      {"bad.example", "127.0.0.2|name bad.example two"},
                                      {"3.1.1.1.sub", "127.0.0.2|three $2"},
                                      {0}});
}

Test(feed, files_of_one_format_share_variables_and_the_first_one_counts)
{
        expect_answers_of((const struct file[]){{"a.ip4set", "$1 one\n:2:$1 $2\n1.1.1.1\n"},
                                                {"b.ip4set", "$1 not this\n$2 two\n:3:$1 $2\n1.1.1.2\n"},
                                                {0}},
                          (const struct question[]){
                              {"1.1.1.1", "127.0.0.2|one two"}, {"2.1.1.1", "127.0.0.3|one two"}, {0}});
}

Test(feed, a_file_of_variables_alone_has_them_for_its_format)
{
        static const struct question questions[] = {
            {"1.1.1.1", "127.0.0.2|one"}, {"bad.example", "127.0.0.2|$1"}, {0}};
        static const struct file head = {"head.ip4set", "$1 one\n"},
                                 names = {"dnset", ":2:$1\nbad.example\n"},
                                 addresses = {"ip4set", ":2:$1\n1.1.1.1\n"};

        expect_answers_of((const struct file[]){head, names, addresses, {0}}, questions);
        expect_answers_of((const struct file[]){addresses, names, head, {0}}, questions);
        expect_answers_of((const struct file[]){{"a.combined", "$1 one\n"},
                                                {"b.combined", "$DATASET ip4set @\n:2:$1\n1.1.1.1\n"},
                                                {0}},
                          (const struct question[]){{"1.1.1.1", "127.0.0.2|one"}, {0}});
}

Test(feed, variables_are_of_the_format_that_a_file_turns_out_to_have)
{
        expect_answers_of((const struct file[]){{"one", "$1 one\n$DATASET ip4set sub\n:2:$1\n1.1.1.1\n"},
                                                {"two", "$1 two\n"},
                                                {"three", "$= $1 ($)\n1.1.1.2\n"},
                                                {0}},
                          (const struct question[]){
                              {"1.1.1.1.sub", "127.0.0.2|one"}, {"2.1.1.1", "127.0.0.2|two (1.1.1.2)"}, {0}});
}
