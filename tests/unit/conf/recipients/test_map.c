/* Building a file of recipients, and looking up in it. */
#include "conf/build/losses.h"
#include "conf/recipients/build/build.h"
#include "conf/recipients/format.h"
#include "core/mail/tag.h"
#include "tests/unit/conf/fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

TestSuite(map, .init = folder_begin, .fini = folder_end);

#define MAPPED(domain, more)                                                                                 \
        "domain \"" domain "\" { recipients = \"lmdb:db\" deliver = \"discard:\" " more " }\n"

static const char *path_of(const char *name)
{
        static char paths[2][300];
        static unsigned next;
        char *path = paths[next++ % 2];

        snprintf(path, sizeof paths[0], "%s/%s", folder, name);
        return path;
}

/* What is said of `text` must be `expected`, where "%" stands for the path of the list. */
static bool build(const char *text, struct recipient_build wish, const char *expected)
{
        struct conf_complaints complaints = {0};
        char told[4096] = "", input[300];
        struct text text_told;

        write_file("list", text, strlen(text));
        snprintf(input, sizeof input, "%s", path_of("list"));
        wish.input = input;
        wish.output = path_of("db");
        wish.memory = "1M";
        bool is_built = recipients_build(&wish, &complaints);
        text_over(&text_told, told, sizeof told - 1);
        for (const char *at = complaints.text; at != NULL && *at != '\0';)
                if (strncmp(at, input, strlen(input)) == 0) {
                        text_put_char(&text_told, '%');
                        at += strlen(input);
                } else {
                        text_put_char(&text_told, *at++);
                }
        cr_expect_str_eq(told, expected);
        cr_expect_eq(is_built, complaints.errors == 0);
        conf_complaints_end(&complaints);
        return is_built;
}

static const struct recipient_build folds = {.folds = true};

static const char *find(const struct snapshot *snapshot, const char *domain, const char *local_part)
{
        static const char *const names[] = {
            [RECIPIENT_UNKNOWN] = "unknown", [RECIPIENT_UNREADABLE] = "unreadable"};
        static char octets[300];
        struct text mailbox;

        text_over(&mailbox, octets, sizeof octets - 1);
        enum recipient_answer answer =
            tag_find_recipient(snapshot, snapshot_find_domain(snapshot, span_from(domain)),
                               span_from(local_part), &mailbox, NULL, NULL);
        octets[mailbox.length] = '\0';
        return answer == RECIPIENT_KNOWN ? octets : names[answer];
}

Test(map, recipients_of_many_domains)
{
        build("\xef\xbb\xbf# all of them\nzoe@isp.example\r\nAlice@ISP.example # c\n"
              "\"with blank\"@isp.example\nBob@b\xc3\xbc"
              "cher.example\n\"\"@isp.example\n"
              "M\xc3\x9cLLER@isp.example\nlist+x@isp.example\n\n",
              folds, "");
        struct snapshot *snapshot =
            load(HOSTNAME MAPPED("isp.example", "extension = \"+\"") MAPPED("b\xc3\xbc"
                                                                            "cher.example",
                                                                            ""));
        static const char *const cases[][3] = {
            {"isp.example", "alice", "alice"},
            {"isp.example", "ALICE+x", "alice"},
            {"isp.example", "list+x", "list+x"},
            {"isp.example", "list+y", "unknown"},
            {"isp.example", "with blank", "with blank"},
            {"isp.example", "", ""},
            {"isp.example", "m\xc3\xbcller", "m\xc3\xbcller"},
            {"isp.example", "bob", "unknown"},
            {"isp.example", "\x01isp.example", "unknown"},
            {"isp.example", "PostMaster", "postmaster"},
            {"xn--bcher-kva.example", "bob", "bob"},
            {"xn--bcher-kva.example", "alice", "unknown"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
                cr_expect_str_eq(find(snapshot, cases[i][0], cases[i][1]), cases[i][2], "%s", cases[i][1]);
        cr_expect_eq(snapshot_find_domain(snapshot, SPAN("isp.example"))->recipient_count, 6);
        snapshot_free(snapshot);
}

Test(map, what_is_wrong_is_told_and_nothing_is_replaced)
{
        build("alice@isp.example\n", folds, "");
        build("zoe@isp.example\nbob\na*@isp.example\na@b@c\nx@isp.example OK\n@\n", folds,
              "%:2: error: \"bob\": has no domain: --domain names that of local parts\n"
              "%:3: error: \"a*@isp.example\": an asterisk stands alone, for all that have no line of their "
              "own\n"
              "%:4: error: \"a@b@c\": not a domain name\n"
              "%:5: error: \"x@isp.example OK\": one address a line, and nothing behind it but settings "
              "KEY=VALUE or a # comment\n"
              "%:6: error: \"@\": not a domain name\n");
        build("# nobody\n", folds, "error: %: names nobody\n");
        struct snapshot *snapshot = load(HOSTNAME MAPPED("isp.example", ""));
        cr_expect_str_eq(find(snapshot, "isp.example", "alice"), "alice");
        cr_expect_str_eq(find(snapshot, "isp.example", "zoe"), "unknown");
        snapshot_free(snapshot);
}

Test(map, duplicates_and_a_last_line_without_an_end_are_told)
{
        build("bob@isp.example\nalice@isp.example\nBOB@ISP.example\nbob@isp.example", folds,
              "%:4: warning: the last line has no end: was the file written to its end?\n"
              "%:3: warning: \"bob@isp.example\": is in line 1 already\n"
              "%:4: warning: \"bob@isp.example\": is in line 1 already\n");
        struct snapshot *snapshot = load(HOSTNAME MAPPED("isp.example", ""));
        cr_expect_eq(snapshot->domains[0].recipient_count, 2);
        snapshot_free(snapshot);
}

Test(map, local_parts_alone_and_letter_case)
{
        build("Alice\nbob@other.example\n", (struct recipient_build){.domain = SPAN("isp.example")}, "");
        struct snapshot *snapshot = load(HOSTNAME MAPPED("isp.example", "local_part_case = exact"));
        cr_expect_str_eq(find(snapshot, "isp.example", "Alice"), "Alice");
        cr_expect_str_eq(find(snapshot, "isp.example", "alice"), "unknown");
        snapshot_free(snapshot);
        char expected[400];
        snprintf(expected, sizeof expected,
                 "(text):1: error: recipients: %s was built with --exact, and local_part_case is fold\n",
                 path_of("db"));
        check_complaints(HOSTNAME MAPPED("isp.example", ""), expected);
}

Test(map, a_domain_that_the_file_does_not_name)
{
        char expected[400];

        build("alice@isp.example\n", folds, "");
        snprintf(
            expected, sizeof expected,
            "(text):1: error: recipients: lmdb:%s names nobody; allow_no_recipients = yes if that is meant\n",
            path_of("db"));
        check_complaints(HOSTNAME MAPPED("other.example", ""), expected);
        check_complaints(HOSTNAME MAPPED("other.example", "allow_no_recipients = yes"), "");
}

/* In the order of LMDB a catch-all stands behind the local part that is empty. */
Test(map, catch_alls_and_aliases)
{
        build("@isp.example\n\"\"@isp.example\nalice@isp.example\n*@isp.example\nbob@other.example\n", folds,
              "%:4: warning: \"*@isp.example\": is in line 1 already\n");
        struct snapshot *snapshot = load(
            HOSTNAME "domain \"alias.example\" { alias_of = \"ISP.example\" }\n" MAPPED("isp.example", "")
                MAPPED("other.example", ""));
        static const char *const cases[][3] = {
            {"isp.example", "alice", "alice"},
            {"isp.example", "nobody", "*"},
            {"isp.example", "", ""},
            {"isp.example", "postmaster", "postmaster"},
            {"alias.example", "Alice", "alice"},
            {"alias.example", "nobody", "*"},
            {"other.example", "nobody", "unknown"},
            {"other.example", "bob", "bob"},
            {"other.example", RECIPIENT_CATCH_ALL, "unknown"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
                cr_expect_str_eq(find(snapshot, cases[i][0], cases[i][1]), cases[i][2], "%s@%s", cases[i][1],
                                 cases[i][0]);
        snapshot_free(snapshot);
}

Test(map, no_file_can_be_made_where_the_path_is_too_long)
{
        enum { LENGTH = 16 << 20 };
        struct conf_complaints complaints = {0};
        struct recipient_build wish = {.input = path_of("people"), .output = calloc(1, LENGTH + 1)};

        memset((char *)(uintptr_t)wish.output, '/', LENGTH);
        cr_expect_not(recipients_build(&wish, &complaints));
        cr_expect(strstr(complaints.text, ": File name too long\n") != NULL);
        free((char *)(uintptr_t)wish.output);
        conf_complaints_end(&complaints);
}

/* ---- files that are not as they were made --------------------------------------------------------------- */

static void check_refused(const char *reason)
{
        char expected[500];
        snprintf(expected, sizeof expected, "(text):1: error: recipients: %s: %s\n", path_of("db"), reason);
        check_complaints(HOSTNAME MAPPED("isp.example", "") MAPPED("second.example", ""), expected);
}

#define NO_END "does not end as a file of `gatepost recipients build` does: it is another file, or was cut"

Test(map, cut_files_are_refused)
{
        build("alice@isp.example\n", folds, "");
        struct stat status;
        cr_assert_eq(stat(path_of("db"), &status), 0);
        for (off_t length = status.st_size - 1; length >= 0; length -= 997) {
                cr_assert_eq(truncate(path_of("db"), length), 0);
                check_refused(NO_END);
        }
        cr_assert_eq(truncate(path_of("db"), 0), 0);
        check_refused(NO_END);
        unlink(path_of("db"));
        check_refused("No such file or directory");
        mkdir(path_of("db"), 0700);
        check_refused("is a directory");
}

static void flip(off_t at)
{
        unsigned char octet;
        int file = open(path_of("db"), O_RDWR);

        cr_assert(pread(file, &octet, 1, at) == 1);
        octet ^= 0x10;
        cr_assert(pwrite(file, &octet, 1, at) == 1);
        close(file);
}

Test(map, damaged_files_are_refused)
{
        struct stat status;

        build("alice@isp.example\nbob@isp.example\n", folds, "");
        cr_assert_eq(stat(path_of("db"), &status), 0);
        for (off_t at = 0; at < status.st_size - 64; at += 331) {
                flip(at);
                check_refused("is damaged: its digest does not fit");
                flip(at);
        }
        flip(status.st_size - 1);
        check_refused("is damaged: its digest does not fit");
        flip(status.st_size - 1);
        flip(status.st_size - 32);
        check_refused("is longer or shorter than it was built");
        flip(status.st_size - 32);
        check_complaints(HOSTNAME MAPPED("isp.example", ""), "");
}

/* A fault that the digest hides: nobody is unknown because of it. */
Test(map, what_cannot_be_read_is_never_unknown)
{
        struct recipient_trailer trailer;
        struct stat status;
        uint16_t no_kind = 0;

        build("alice@isp.example\n", folds, "");
        struct snapshot *snapshot = load(HOSTNAME MAPPED("isp.example", "extension = \"+\""));
        int file = open(path_of("db"), O_RDWR);
        cr_assert_eq(fstat(file, &status), 0);
        /* The flags of each page behind the two that LMDB begins with: neither a leaf nor a branch. */
        for (off_t at = 8192; at + 4096 < status.st_size; at += 4096)
                cr_assert(pwrite(file, &no_kind, sizeof no_kind, at + 10) == sizeof no_kind);
        cr_assert(pread(file, &trailer, sizeof trailer, status.st_size - 64) == sizeof trailer);
        cr_assert(recipient_digest(file, &trailer, &trailer.digest));
        cr_assert(pwrite(file, &trailer, sizeof trailer, status.st_size - 64) == sizeof trailer);
        close(file);
        cr_expect_str_eq(find(snapshot, "isp.example", "alice"), "unreadable");
        cr_expect_str_eq(find(snapshot, "isp.example", "nobody+x"), "unreadable");
        cr_expect_str_eq(find(snapshot, "isp.example", "postmaster"), "postmaster");
        snapshot_free(snapshot);
        char expected[400];
        snprintf(expected, sizeof expected, "(text):1: error: recipients: cannot be read: %s\n",
                 path_of("db"));
        check_complaints(HOSTNAME MAPPED("isp.example", ""), expected);
}

/* ---- another file in its place -------------------------------------------------------------------------- */

Test(map, whoever_has_mapped_a_file_keeps_it)
{
        build("alice@isp.example\n", folds, "");
        struct snapshot *before = load(HOSTNAME MAPPED("isp.example", ""));
        build("bob@isp.example\n", folds, "");
        struct snapshot *after = load(HOSTNAME MAPPED("isp.example", ""));
        cr_expect_str_eq(find(before, "isp.example", "alice"), "alice");
        cr_expect_str_eq(find(before, "isp.example", "bob"), "unknown");
        cr_expect_str_eq(find(after, "isp.example", "alice"), "unknown");
        cr_expect_str_eq(find(after, "isp.example", "bob"), "bob");
        snapshot_free(before);
        cr_expect_str_eq(find(after, "isp.example", "bob"), "bob");
        snapshot_free(after);
}

static struct snapshot *load_numbered(int count)
{
        static char text[8192];
        text[0] = '\0';
        for (int i = 0; i < count; i++)
                snprintf(text + strlen(text), sizeof text - strlen(text), "%d@isp.example\n", i);
        build(text, folds, "");
        return load(HOSTNAME MAPPED("isp.example", ""));
}

Test(map, a_reload_may_not_lose_many)
{
        struct snapshot *before = load_numbered(100), *some = load_numbered(90), *few = load_numbered(89);
        struct conf_complaints complaints = {0};

        cr_expect(losses_are_allowed(before, some, &complaints));
        cr_expect_not(losses_are_allowed(before, few, &complaints));
        cr_expect_str_eq(complaints.text,
                         "(text):1: error: 11 of 100 recipients would go; recipients_shrink_max is "
                         "10 percent\n");
        conf_complaints_end(&complaints);
        snapshot_free(before);
        snapshot_free(some);
        snapshot_free(few);
}

/* ---- many ----------------------------------------------------------------------------------------------- */

#define MANY    200000
#define THREADS 4

static void *find_all(void *context)
{
        const struct snapshot *snapshot = context;
        size_t wrong = 0;

        for (unsigned i = 0; i < 2 * MANY; i++) {
                char octets[32], local[32];
                struct text mailbox;
                text_over(&mailbox, octets, sizeof octets);
                int length = snprintf(local, sizeof local, "user%u", i);
                wrong += domain_find_recipient(&snapshot->domains[0], span_of(local, (size_t)length),
                                               &mailbox) != (i < MANY ? RECIPIENT_KNOWN : RECIPIENT_UNKNOWN);
        }
        return (void *)wrong;
}

/* More than one transaction of LMDB and one run of sort(1), in no order; and all threads at once. */
Test(map, many)
{
        pthread_t threads[THREADS];
        char *text = malloc((size_t)MANY * 32), *end = text;
        void *wrong;

        for (unsigned i = 0; i < MANY; i++)
                end += sprintf(end, "user%u@isp.example\n", (unsigned)(i * UINT64_C(7919) % MANY));
        build(text, folds, "");
        free(text);
        struct snapshot *snapshot = load(HOSTNAME MAPPED("isp.example", ""));
        cr_expect_eq(snapshot->domains[0].recipient_count, MANY);
        for (size_t i = 0; i < THREADS; i++)
                cr_assert_eq(pthread_create(&threads[i], NULL, find_all, snapshot), 0);
        for (size_t i = 0; i < THREADS; i++) {
                cr_assert_eq(pthread_join(threads[i], &wrong), 0);
                cr_expect_eq((size_t)wrong, 0);
        }
        snapshot_free(snapshot);
}
