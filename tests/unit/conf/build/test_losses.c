/* What a reload may take away. */
#include "conf/build/losses.h"
#include "tests/unit/conf/fixture.h"

#include <pthread.h>
#include <stdatomic.h>

TestSuite(losses, .init = folder_begin, .fini = folder_end);

#define SECOND "domain \"second.example\" { recipients = \"others\" deliver = \"discard:\" }\n"

/* "1", "2" and so on, without those whose number `left_out` divides. */
static void write_people(int count, int left_out, const char *end)
{
        char text[4096] = "";
        for (int i = 1; i <= count; i++)
                if (i % left_out != 0)
                        snprintf(text + strlen(text), sizeof text - strlen(text), "%d\n", i);
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s", end);
        write_file("people", text, strlen(text));
}

/* The answer to people who change from 1 to 20 to what is in the file now: "", or what is said. */
static void check_change(const struct snapshot *before, const char *text, const char *expected)
{
        struct conf_complaints complaints = {0};
        struct snapshot *after = load(text);

        cr_expect_eq(losses_are_allowed(before, after, &complaints), expected[0] == '\0');
        cr_expect(complaints.text == NULL ? expected[0] == '\0' : strstr(complaints.text, expected) != NULL,
                  "%s instead of %s", complaints.text, expected);
        conf_complaints_end(&complaints);
        snapshot_free(after);
}

Test(losses, recipients)
{
        write_people(20, 100, "");
        struct snapshot *before = load(HOSTNAME DOMAIN);

        check_change(before, HOSTNAME DOMAIN, "");
        write_people(20, 10, "");
        check_change(before, HOSTNAME DOMAIN, "");
        write_people(20, 7, "more\n");
        check_change(before, HOSTNAME DOMAIN, "");
        write_people(20, 6, "as\nmany\nas\never\n");
        check_change(
            before, HOSTNAME DOMAIN,
            "(text):1: error: 3 of 20 recipients would go, such as \"18\"; recipients_shrink_max is 10");
        check_change(before, HOSTNAME "recipients_shrink_max = 15\n" DOMAIN, "");
        check_change(before, HOSTNAME "recipients_shrink_max = 14\n" DOMAIN, "3 of 20 recipients");
        write_people(0, 1, "x\n");
        check_change(before, HOSTNAME "recipients_shrink_max = 99\n" DOMAIN, "20 of 20 recipients");
        check_change(before, HOSTNAME "recipients_shrink_max = 100\n" DOMAIN, "");
        snapshot_free(before);
}

/* Cut at the end of a buffer, not of a line. */
Test(losses, a_file_that_ends_within_a_line)
{
        write_people(20, 100, "");
        struct snapshot *before = load(HOSTNAME DOMAIN);

        write_people(19, 100, "2");
        check_change(before, HOSTNAME DOMAIN, "such as \"20\", and the last line of their file has no end");
        check_change(before, HOSTNAME "recipients_shrink_max = 100\n" DOMAIN, "");
        write_people(19, 100, "20");
        check_change(before, HOSTNAME DOMAIN, "");
        snapshot_free(before);
}

Test(losses, domains)
{
        write_file("others", "a\nb\n", 4);
        struct snapshot *before = load(HOSTNAME DOMAIN SECOND);

        check_change(before, HOSTNAME SECOND DOMAIN, "");
        check_change(
            before, HOSTNAME DOMAIN,
            "(text):2: error: 1 of 2 domains would go, such as \"second.example\"; domains_shrink_max is 0");
        check_change(before, HOSTNAME "domains_shrink_max = 49\n" DOMAIN, "1 of 2 domains");
        check_change(before, HOSTNAME "domains_shrink_max = 50\n" DOMAIN, "");
        check_change(before, HOSTNAME "allow_no_domains = yes\n", "2 of 2 domains");
        write_file("others", "", 0);
        check_change(before,
                     HOSTNAME DOMAIN
                     "domain \"second.example\" { recipients = \"others\" deliver = \"discard:\"\n"
                     "allow_no_recipients = yes }\n",
                     "2 of 2 recipients");
        snapshot_free(before);
}

static void *keep_writing(void *argument)
{
        _Atomic bool *is_over = argument;
        char path[256];

        snprintf(path, sizeof path, "%s/people", folder);
        while (!atomic_load(is_over)) {
                FILE *file = fopen(path, "a");
                fprintf(file, "somebody\n");
                fclose(file);
                usleep(1000);
        }
        return NULL;
}

Test(losses, a_file_that_grows_while_it_is_read_is_refused)
{
        struct conf_complaints complaints = {0};
        _Atomic bool is_over = false;
        pthread_t writer;
        char path[256];

        snprintf(path, sizeof path, "%s/people", folder);
        FILE *file = fopen(path, "w");
        for (int i = 0; i < 500000; i++)
                fprintf(file, "user%d\n", i);
        fclose(file);
        cr_assert_eq(pthread_create(&writer, NULL, keep_writing, &is_over), 0);
        struct snapshot *snapshot = snapshot_load_text(HOSTNAME DOMAIN, folder, &complaints);
        atomic_store(&is_over, true);
        pthread_join(writer, NULL);
        cr_expect_null(snapshot);
        cr_expect(complaints.text != NULL && strstr(complaints.text, "is being written to") != NULL, "%s",
                  complaints.text);
        snapshot_free(snapshot);
        conf_complaints_end(&complaints);
}

Test(losses, nobody_and_nothing)
{
        check_complaints(HOSTNAME, "(text): error: no domain: every recipient would be refused; "
                                   "allow_no_domains = yes if that is meant\n");
        check_complaints(HOSTNAME "allow_no_domains = yes\n", "");
        write_file("people", "# nobody\n", 9);
        check_complaints(HOSTNAME "domain \"x.example\" { recipients = \"people\" deliver = \"discard:\"\n"
                                  "allow_no_recipients = yes }\n",
                         "");
}
