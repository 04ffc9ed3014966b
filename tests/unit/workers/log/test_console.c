/* Complaints on standard error. */
#include "workers/log/console.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The text of complaints is NULL as well when memory was out for it. */
Test(console, without_a_text_nothing_is_written)
{
        char octets[100] = "";
        FILE *file = tmpfile();

        cr_assert(file != NULL && dup2(fileno(file), STDERR_FILENO) == STDERR_FILENO);
        unsetenv("JOURNAL_STREAM");
        console_complaints(NULL);
        console_complaints("");
        console_complaints("conf:1: error: one\nconf:2: warning: two\n");
        fflush(stderr);
        cr_assert(pread(fileno(file), octets, sizeof octets - 1, 0) >= 0);
        cr_expect_str_eq(octets, "conf:1: error: one\nconf:2: warning: two\n");
        fclose(file);
}
