/* What is appended is read once, line by line, whatever becomes of the files' names. */
#include "workers/policy/log_tail.h"

#include "tests/unit/workers/policy/fixture.h"

#define SEEN_MAX 4096
#define LINES    3

TestSuite(log_tail, .init = folder_make, .fini = folder_remove);

static struct log_tail tail;
static char seen[SEEN_MAX]; /* lines, with commas between */
static struct log_place last;

static void visit(void *context, struct span line, struct log_place place)
{
        size_t length = strlen(seen);

        (void)context;
        snprintf(seen + length, SEEN_MAX - length, "%.*s,", line.length < 30 ? (int)line.length : 30,
                 line.at);
        last = place;
}

/* What is read of the log until nothing more is there. */
static const char *read_all(void)
{
        seen[0] = '\0';
        while (log_tail_turn(&tail, "log", visit, NULL))
                ;
        return seen;
}

Test(log_tail, lines_are_read_when_they_are_whole)
{
        cr_expect_str_eq(read_all(), "", "there is no file");
        append("log", "{\"time\":1}\n{\"time\":2}\n{\"ti");
        cr_expect_str_eq(read_all(), "{\"time\":1},{\"time\":2},");
        cr_expect_str_eq(read_all(), "");
        append("log", "me\":3}");
        cr_expect_str_eq(read_all(), "");
        append("log", "\n\n");
        cr_expect_str_eq(read_all(), "{\"time\":3},,");
        last.offset = 11;
        struct span line = log_tail_line(&tail, last);
        cr_expect(span_equals(line, SPAN("{\"time\":2}")), "%.*s", (int)line.length, line.at);
        last.offset = 1000;
        cr_expect_eq(log_tail_line(&tail, last).length, 0);
        last.file++;
        cr_expect_eq(log_tail_line(&tail, last).length, 0);
        log_tail_end(&tail);
}

Test(log_tail, a_line_that_is_too_long_is_passed_over)
{
        char *octets = calloc(3 * LOG_TAIL_PIECE + 1, 1);

        memset(octets, 'x', 3 * LOG_TAIL_PIECE);
        memcpy(octets + 3 * LOG_TAIL_PIECE - 7, "\nafter\n", 8);
        append("log", "before\n");
        append("log", octets);
        read_all();
        cr_expect(strncmp(seen, "before,", 7) == 0 && strcmp(seen + strlen(seen) - 7, ",after,") == 0, "%s",
                  seen);
        free(octets);
        log_tail_end(&tail);
}

Test(log_tail, files_are_followed_beyond_their_names)
{
        append("log", "1\n");
        cr_expect_str_eq(read_all(), "1,");
        struct log_place first = last;
        rename("log", "log.1");
        append("log.1", "2\n");
        append("log", "3\n");
        cr_expect_str_eq(read_all(), "2,3,");
        append("log.1", "4\n");
        append("log", "5\n");
        cr_expect_str_eq(read_all(), "4,5,");
        cr_expect(span_equals(log_tail_line(&tail, first), SPAN("1")));
        for (size_t i = 0; i < 2 * LOG_PLACE_FILES; i++) {
                char name[32];
                snprintf(name, sizeof name, "log.%zu", i + 2);
                rename("log", name);
                append("log", "more\n");
                cr_expect_str_eq(read_all(), "more,");
                cr_expect_leq(tail.count, LOG_TAIL_FILES);
        }
        unlink("log.33");
        read_all();
        cr_expect_eq(tail.count, LOG_TAIL_FILES - 1, "a file without a name is let go");
        log_tail_end(&tail);
}

Test(log_tail, what_was_cut_off_begins_anew)
{
        append("log", "1\n2\n3\n");
        cr_expect_str_eq(read_all(), "1,2,3,");
        cr_assert_eq(truncate("log", 0), 0);
        append("log", "4\n");
        cr_expect_str_eq(read_all(), "4,");
        log_tail_end(&tail);
}

Test(log_tail, it_begins_with_what_a_rotation_has_made)
{
        static const struct timespec times[LINES][2] = {
            {{100, 0}, {100, 0}}, {{200, 0}, {200, 0}}, {{300, 0}, {300, 0}}};
        static const char *const names[LINES] = {"log-20260101", "log.2", "log.1"};

        for (size_t i = 0; i < LINES; i++) {
                char line[64];
                snprintf(line, sizeof line, "{\"time\":%zu}\n", i);
                append(names[i], line);
                cr_assert_eq(utimensat(AT_FDCWD, names[i], times[i], 0), 0);
        }
        append("log.3.gz", "\x1f\x8b nothing that can be read\n");
        append("logs", "{\"time\":\"of another\"}\n");
        append("log", "{\"time\":9}\n");
        cr_expect_str_eq(read_all(), "{\"time\":0},{\"time\":1},{\"time\":2},{\"time\":9},");
        log_tail_end(&tail);
}

Test(log_tail, of_much_it_begins_with_the_newest)
{
        cr_assert_eq(truncate("log.1", 0), -1);
        append("log.1", "{\"time\":1}\n");
        append("log", "{\"time\":2}\n");
        cr_assert_eq(truncate("log", 2 * LOG_TAIL_START), 0); /* a hole */
        append("log", "\nlast\n");
        read_all();
        cr_expect_str_eq(seen + strlen(seen) - 6, ",last,");
        cr_expect_null(strstr(seen, "time"), "%s", seen);
        cr_expect_eq(tail.count, 1);
        log_tail_end(&tail);
}

Test(log_tail, what_is_no_file_is_left_alone)
{
        cr_assert_eq(mkfifo("log", 0600), 0);
        cr_expect_str_eq(read_all(), "");
        cr_expect(tail.count == 0 && tail.error == 0);
        unlink("log");
        cr_assert_eq(symlink("log", "log"), 0);
        read_all();
        cr_expect_neq(tail.error, 0);
        unlink("log");
        append("log", "1\n");
        cr_expect_str_eq(read_all(), "1,");
        cr_expect_eq(tail.error, 0);
        log_tail_end(&tail);
}
