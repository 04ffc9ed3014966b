/* Paths of Maildirs. */
#include "workers/deliver/maildir.h"

#include <criterion/criterion.h>

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
