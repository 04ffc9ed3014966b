/* What else lies in a journal's folder: names of segments that are none, segments that are there twice, or in part. */
#include "tests/unit/workers/journal/fixture.h"

TestSuite(journal_files, .init = begin, .fini = end, .timeout = 20);

#define SIZE (UINT64_C(4) * SEGMENT)

static const char *path_of(const char *name)
{
        static char path[300];
        snprintf(path, sizeof path, "%s/%s", base, name);
        return path;
}

static void open_anew(void)
{
        close_it();
        cr_assert_eq(open_again(SIZE), JOURNAL_OPENED, "%s", strerror(errno));
}

/* Whoever only looks waits for nobody, and is told. */
static void look(uint64_t lost, size_t parts)
{
        struct journal_index index = {.keeps_order = true};
        struct journal_loading loading = {.index = &index};
        struct journal_folder folder;
        struct journal_survey survey;

        cr_assert(journal_folder_open(&folder, base, SEGMENT, SIZE, true), "%s", strerror(errno));
        cr_assert(journal_survey_run(&survey, &folder, journal_load_record, &loading));
        cr_assert_eq(survey.lost_segments, lost);
        cr_assert_eq(survey.part_count, parts);
        journal_survey_end(&survey);
        journal_index_end(&index);
        journal_folder_close(&folder);
}

Test(journal_files, what_is_no_file_is_set_aside)
{
        put_message(SPAN("one"));
        cr_assert_eq(mkfifo(path_of("00001.segment"), 0600), 0);
        cr_assert_eq(mkdir(path_of("00002.segment"), 0700), 0);
        cr_assert_eq(symlink("00003.segment", path_of("00003.segment")), 0);
        cr_assert_eq(symlink("/dev/zero", path_of("00004.segment")), 0);
        look(4, 1);
        open_anew();
        cr_assert_eq(opened.lost_segments, 4);
        cr_assert_eq(journal_index.waiting, 1);
        look(0, 1);
        put_message(SPAN("two"));
        open_anew();
        cr_assert_eq(opened.lost_segments, 0);
        cr_assert_eq(journal_index.waiting, 2);
}

static void copy(const char *from, const char *to)
{
        static char octets[SEGMENT];
        int in = open(path_of(from), O_RDONLY | O_CLOEXEC);

        cr_assert(in >= 0 && read(in, octets, sizeof octets) == (ssize_t)sizeof octets);
        close(in);
        int out = open(path_of(to), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        cr_assert(out >= 0 && write(out, octets, sizeof octets) == (ssize_t)sizeof octets);
        close(out);
}

/* All that wait are read as they were written. */
static void check_waiting(uint32_t count)
{
        cr_assert_eq(journal_index.waiting, count);
        for (uint32_t i = 0; i < journal_index.used; i++) {
                enum journal_read result;
                struct content text = text_of(i, &result);
                cr_assert_eq(result, JOURNAL_READ_DONE, "entry %u", i);
                cr_assert_eq(text.length, 3);
                content_release(&text, &pool);
        }
}

static void check_twins(void)
{
        look(1, 1);
        open_anew();
        cr_assert_eq(opened.lost_segments, 1);
        cr_assert_eq(opened.damaged + opened.torn, 0);
        check_waiting(2);
        put_message(SPAN("333"));
        open_anew();
        cr_assert_eq(opened.lost_segments, 0);
        check_waiting(3);
}

Test(journal_files, of_two_copies_of_a_segment_the_one_that_goes_on_farther_counts)
{
        put_message(SPAN("111"));
        copy("00000.segment", "00003.segment");
        put_message(SPAN("222"));
        check_twins();
}

Test(journal_files, and_so_it_is_where_that_one_has_the_higher_number)
{
        put_message(SPAN("111"));
        copy("00000.segment", "old");
        put_message(SPAN("222"));
        copy("00000.segment", "00003.segment");
        cr_assert_eq(rename(path_of("old"), path_of("00000.segment")), 0);
        check_twins();
}

Test(journal_files, a_segment_that_was_cut_is_told_as_damage_once)
{
        put_message(SPAN("111"));
        put_message(SPAN("222"));
        cr_assert_eq(truncate(path_of("00000.segment"), (off_t)2 * JOURNAL_BLOCK), 0);
        open_anew();
        cr_assert_eq(opened.damaged, 1);
        check_waiting(1);
        put_message(SPAN("333"));
        open_anew();
        cr_assert_eq(opened.damaged, 0);
        check_waiting(2);
}
