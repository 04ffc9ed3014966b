/* What is told of the difference between two configurations. */
#include "workers/server/pages/changes.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static void expect_changes(const char *before, const char *after, const char *expected)
{
        char octets[4096];
        struct text out;
        char *left = strdup(before), *right = strdup(after);

        text_over(&out, octets, sizeof octets - 1);
        changes_write(left, right, &out);
        octets[out.length] = '\0';
        cr_expect_str_eq(octets, expected);
        free(left);
        free(right);
}

#define DOMAIN(name, count)                                                                                  \
        "domain \"" name "\" {\n    # " count "\n    recipients = \"/r\"\n    spf { mode = enforce }\n}\n"

Test(changes, none)
{
        expect_changes("a = 1\n" DOMAIN("x", "3 recipients"), "a = 1\n" DOMAIN("x", "3 recipients"), "");
        expect_changes("a = 1    # default\n", "a = 1\n", "");
}

Test(changes, values)
{
        expect_changes("a = 1\nb = \"x = y\"\n", "a = 2    # default\nb = \"x = z\"\n",
                       "a: 1 becomes 2\nb: \"x = y\" becomes \"x = z\"\n");
        expect_changes("dnsbl {\n    mode = enforce\n    zone \"z\" {\n        weight = 1\n    }\n}\n",
                       "dnsbl {\n    mode = observe\n    zone \"z\" {\n        weight = -1\n    }\n}\n",
                       "dnsbl mode: enforce becomes observe\ndnsbl zone \"z\" weight: 1 becomes -1\n");
        expect_changes(DOMAIN("x", "3 recipients"), DOMAIN("x", "4 recipients"),
                       "domain \"x\" list: 3 recipients becomes 4 recipients\n");
        expect_changes("domain \"x\" {\n    spf { mode = enforce }\n}\n",
                       "domain \"x\" {\n    spf { mode = off }\n}\n",
                       "domain \"x\" spf: enforce becomes off\n");
}

Test(changes, sections_come_and_go_whole)
{
        expect_changes("a = 1\n" DOMAIN("x", "1 recipient"), "a = 1\n" DOMAIN("y", "1 recipient"),
                       "domain \"x\" is gone\ndomain \"y\" is new\n");
        expect_changes("http {\n    listen = \"127.0.0.1:8025\"\n}\n", "", "http is gone\n");
}

Test(changes, more_than_have_room)
{
        static char before[200000], after[200000];
        char octets[300];
        struct text out;
        size_t left = 0, right = 0, lines = 0;

        for (int i = 0; i < 1000; i++) {
                left += (size_t)snprintf(before + left, sizeof before - left, "option%04d = 1\n", i);
                right += (size_t)snprintf(after + right, sizeof after - right, "option%04d = 2\n", i);
        }
        text_over(&out, octets, sizeof octets - 1);
        changes_write(before, after, &out);
        octets[out.length] = '\0';
        for (const char *at = octets; (at = strchr(at, '\n')) != NULL; at++)
                lines++;
        cr_expect(strstr(octets, "\nand 9") != NULL && strstr(octets, " more\n") != NULL, "%s", octets);
        cr_expect(lines > 5 && !out.overflowed);
}
