/* Paths of Maildirs. */
#include "workers/deliver/maildir.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whatever dots a local part has, it stays one component, and none that leads upwards or is hidden. */
Test(maildir, dots_of_local_parts)
{
        static const struct {
                const char *local_part, *path;
        } cases[] = {
            {"a..b", "/mail/a..b"}, {".a", "/mail/%2Ea"}, {"a.", "/mail/a."},
            {"..", "/mail/%2E."},   {".", "/mail/%2E"},   {"../../a", "/mail/%2E.%2F..%2Fa"},
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                char octets[256];
                struct text path;
                text_over(&path, octets, sizeof octets);
                cr_expect(maildir_path_write(&path, "/mail/%u", SPAN("isp.example"),
                                             span_from(cases[i].local_part)));
                cr_expect_str_eq(octets, cases[i].path, "%s", cases[i].local_part);
        }
}

Test(maildir, paths_from_templates)
{
        static const struct {
                const char *path_template, *path;
        } cases[] = {
            {"/mail/%d/%u", "/mail/isp.example/alice+x"},
            {"/mail/%u%%", "/mail/alice+x%"},
            {"/100%%/%u", "/100%/alice+x"},
            {"/%%u/%u", "/%u/alice+x"},
            {"/%%d%%%u", "/%d%alice+x"},
            {"/%%%%u%u", "/%%ualice+x"},
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                char octets[256];
                struct text path;
                text_over(&path, octets, sizeof octets);
                cr_expect(
                    maildir_path_write(&path, cases[i].path_template, SPAN("isp.example"), SPAN("alice+x")));
                cr_expect_str_eq(octets, cases[i].path, "%s", cases[i].path_template);
        }
}

/* A file system takes names of 255 octets, and an escaped local part may be three times as long as itself. */
Test(maildir, long_local_parts_have_short_names)
{
        static const char templates[] = "/mail/%d/u-%u-maildir";
        char long_octets[252], escaped_octets[252], path_octets[1024], other_octets[1024];
        struct text path;

        memset(long_octets, 'l', sizeof long_octets);
        for (size_t length = 1; length <= sizeof long_octets; length++) {
                text_over(&path, path_octets, sizeof path_octets);
                cr_assert(
                    maildir_path_write(&path, templates, SPAN("isp.example"), span_of(long_octets, length)));
                const char *name = strrchr(path_octets, '/') + 1;
                cr_expect_leq(strlen(name), 255, "%zu", length);
                if (length <= 200)
                        cr_expect_eq(strlen(name), length + strlen("u--maildir"), "%zu", length);
                cr_expect(strncmp(name, "u-l", 3) == 0 && strstr(name, "-maildir") != NULL);
        }
        /* What differs only at its end has another name, and no escape is cut. */
        for (size_t i = 0; i + 1 < sizeof escaped_octets; i += 2)
                memcpy(escaped_octets + i, "\xc3\xbc", 2);
        for (size_t length = sizeof escaped_octets - 6; length <= sizeof escaped_octets; length += 2) {
                text_over(&path, path_octets, sizeof path_octets);
                cr_assert(
                    maildir_path_write(&path, "/%u", SPAN("isp.example"), span_of(escaped_octets, length)));
                cr_expect_leq(strlen(path_octets), 201);
                cr_expect(strncmp(path_octets, "/%C3%BC", 7) == 0);
                cr_expect_eq(strspn(strstr(path_octets, "%="), "%=0123456789abcdef"), 34, "%s", path_octets);
                cr_expect_neq(strcmp(path_octets, other_octets), 0);
                memcpy(other_octets, path_octets, sizeof other_octets);
        }
}

/* ---- copies -------------------------------------------------------------------------------------------- */

#define FOLDER_SIZE 64

static void read_copy(const char *mailbox, const char *name, char *ret_octets, size_t room)
{
        char path[512];

        snprintf(path, sizeof path, "%s/new/%s", mailbox, name);
        FILE *file = fopen(path, "r");
        cr_assert_not_null(file, "%s", path);
        ret_octets[fread(ret_octets, 1, room - 1, file)] = '\0';
        fclose(file);
        unlink(path);
}

/* A copy whose front is another one's is the same file; else it has its own front, and the same text behind it. */
Test(maildir, fronts_of_copies)
{
        static const char *const fronts[] = {"A: first\n", "A: first\n", "", "A: another, which is longer\n"};
        char folder[] = "/tmp/gatepost-test-XXXXXX", mailboxes[4][FOLDER_SIZE], octets[256];
        struct mail_copy copies[4] = {0};
        struct mail_namer namer;
        struct mail mail = {.fd = -1};
        struct content content = {0};
        struct content_pool pool;
        struct stat first, other;

        cr_assert_not_null(mkdtemp(folder));
        mail_namer_init(&namer, 0);
        content_pool_init(&pool, 4);
        cr_assert(content_append(&content, &pool, SPAN("text\r\n")));
        for (int i = 0; i < 4; i++) {
                snprintf(mailboxes[i], sizeof mailboxes[i], "%s/%d", folder, i);
                copies[i] = (struct mail_copy){.mailbox = mailboxes[i], .front = span_from(fronts[i])};
        }
        cr_assert(mail_begin(&mail, &namer, &copies[0], &content, NEWLINE_LF));
        cr_assert(mail_sync(&mail));
        for (int i = 1; i < 4; i++)
                cr_assert(mail_link(&mail, &copies[0], &copies[i]));
        for (int i = 0; i < 4; i++)
                cr_assert(mail_publish(&mail, &copies[i]));
        for (int i = 0; i < 4; i++) {
                char path[512];
                snprintf(path, sizeof path, "%s/new/%s", mailboxes[i], mail.name);
                cr_assert_eq(stat(path, i == 0 ? &first : &other), 0);
                if (i > 0)
                        cr_expect_eq(first.st_ino == other.st_ino, i == 1);
                cr_expect_eq(copies[i].is_elsewhere, i > 1);
        }
        for (int i = 0; i < 4; i++) {
                char expected[256];
                snprintf(expected, sizeof expected, "%stext\n", fronts[i]);
                read_copy(mailboxes[i], mail.name, octets, sizeof octets);
                cr_expect_str_eq(octets, expected);
        }
        content_release(&content, &pool);
        content_pool_end(&pool);
        snprintf(octets, sizeof octets, "rm -r %s", folder);
        cr_expect_eq(system(octets), 0);
}
