/* Rotations that come between the listing of a log's files and their reading. */
#include "workers/cli/files/log_files.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/log-files-XXXXXX";
static struct log_files files;

static void put(const char *name, const char *octets)
{
        FILE *out = fopen(name, "w");

        cr_assert_not_null(out);
        fputs(octets, out);
        fclose(out);
}

static void begin(void)
{
        cr_assert_not_null(mkdtemp(folder));
        cr_assert_eq(chdir(folder), 0);
        put("log", "{\"time\":\"2026-05-21T00:00:00.000Z\"}\nsecond\n");
        put("log.1", "{\"time\":\"2026-05-20T00:00:00.000Z\"}\nfirst\n");
        cr_assert(log_files_find(&files, "log"));
        cr_assert_eq(files.count, 2);
}

static void end(void)
{
        log_files_end(&files);
        unlink("log");
        unlink("log.1");
        unlink("log.2");
        rmdir(folder);
}

/* The last line. */
static void keep(void *context, const char *line)
{
        snprintf(context, 100, "%s", line);
}

static void expect_read(size_t index, enum log_file_result result, const char *line)
{
        char kept[100] = "";

        cr_expect_eq(log_file_read(&files.files[index], false, keep, kept), result, "%zu", index);
        cr_expect_str_eq(kept, line, "%zu", index);
}

Test(log_files, what_is_as_it_was_listed_is_read, .init = begin, .fini = end)
{
        expect_read(0, LOG_FILE_WHOLE, "second");
        FILE *out = fopen("log", "a");
        cr_assert_not_null(out);
        fputs("third\n", out);
        fclose(out);
        expect_read(0, LOG_FILE_WHOLE, "third");
        expect_read(1, LOG_FILE_WHOLE, "first");
}

Test(log_files, what_was_renamed_since_is_not_taken_for_another, .init = begin, .fini = end)
{
        rename("log.1", "log.2");
        rename("log", "log.1");
        expect_read(0, LOG_FILE_UNREAD, "");
        put("log", "third\n");
        expect_read(0, LOG_FILE_UNREAD, "");
        expect_read(1, LOG_FILE_UNREAD, "");
}

Test(log_files, what_was_emptied_since_is_not_read, .init = begin, .fini = end)
{
        put("log", "third\n");
        expect_read(0, LOG_FILE_UNREAD, "");
        expect_read(1, LOG_FILE_WHOLE, "first");
}

Test(log_files, a_file_that_is_named_is_whatever_has_the_name, .init = begin, .fini = end)
{
        const struct log_file named = {.path = (char[]){"log"}};
        char kept[100] = "";

        rename("log.1", "log");
        cr_expect_eq(log_file_read(&named, false, keep, kept), LOG_FILE_WHOLE);
        cr_expect_str_eq(kept, "first");
}
