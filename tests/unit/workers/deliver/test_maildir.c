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
