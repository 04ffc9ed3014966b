/* Files of recipients and top-level domains; the table that holds them. */
#include "conf/build/load.h"
#include "tests/unit/conf/fixture.h"

TestSuite(lists, .init = folder_begin, .fini = folder_end);

static void check_recipients(const char *text, size_t length, const char *expected)
{
        write_file("people", text, length);
        struct conf_complaints complaints = {0};
        struct snapshot *snapshot = snapshot_load_text(HOSTNAME DOMAIN, folder, &complaints);
        const char *told = complaints.text == NULL ? "" : complaints.text;
        cr_expect(strncmp(told, folder, strlen(folder)) != 0 || strlen(told) > strlen(folder));
        told = strncmp(told, folder, strlen(folder)) == 0 ? told + strlen(folder) : told;
        cr_expect_str_eq(told, expected, "for %s: %s", text, complaints.text);
        snapshot_free(snapshot);
        conf_complaints_end(&complaints);
}

#define RECIPIENTS(text, expected)                                                                           \
        {                                                                                                    \
                text, sizeof(text) - 1, expected                                                             \
        }
#define FIRST(entry, message) "/people:1: error: \"" entry "\": " message "\n"
#define NEITHER(entry)        FIRST(entry, "neither an address nor a local part")
#define ELSEWHERE(entry)      FIRST(entry, "the address is in another domain")
#define WILDCARD(entry)       FIRST(entry, "an asterisk stands alone, for all that have no line of their own")
#define MORE(entry)                                                                                          \
        FIRST(entry, "one address a line, and nothing behind it but settings KEY=VALUE or a # comment")
#define INVISIBLE(entry, code) FIRST(entry, "has an invisible character, " code)

static const struct {
        const char *text;
        size_t length;
        const char *expected;
} files[] = {
    RECIPIENTS("a\r\n\r\n  b@isp.example \t# x\n#c\n \t\n", ""),
    RECIPIENTS("no newline", MORE("no newline")),
    RECIPIENTS("\"a # b\"@ISP.example # c\n\"a@b\"\n\"\\\"\"\na#b\n", ""),
    RECIPIENTS("j\xc3\xb6rg@isp.example\n", ""),
    RECIPIENTS("\xef\xbb\xbf"
               "a\r\nb\n",
               ""),
    RECIPIENTS("a\xc2\xa0\n", INVISIBLE("a\xc2\xa0", "U+00A0")),
    RECIPIENTS("\xd9\x85\xdb\x8c\xe2\x80\x8c\xd8\xb1\n", ""), /* Persian needs its U+200C */
    RECIPIENTS("a@b@isp.example\n", ELSEWHERE("a@b@isp.example")),
    RECIPIENTS("a@other.example\n", ELSEWHERE("a@other.example")),
    RECIPIENTS("a@\n", ELSEWHERE("a@")),
    RECIPIENTS("*@isp.example\n", ""),
    RECIPIENTS("*\n", ""),
    RECIPIENTS("*@other.example\n", ELSEWHERE("*@other.example")),
    RECIPIENTS("**\n", WILDCARD("**")),
    RECIPIENTS("*@isp.example OK\n", MORE("*@isp.example OK")),
    RECIPIENTS("info-*@isp.example\n", WILDCARD("info-*@isp.example")),
    RECIPIENTS("\"*\"@isp.example\n", ""),
    RECIPIENTS("@isp.example\n", ""),
    RECIPIENTS("@\n", ELSEWHERE("@")),
    RECIPIENTS("x@isp.example OK\n", MORE("x@isp.example OK")),
    RECIPIENTS("x@isp.example\tOK # c\n", MORE("x@isp.example?OK")),
    RECIPIENTS("\"x y\"@isp.example OK\n", MORE("\"x y\"@isp.example OK")),
    RECIPIENTS("\"x y\" OK\n", MORE("\"x y\" OK")),
    RECIPIENTS("a b\n", MORE("a b")),
    RECIPIENTS(".a\n", NEITHER(".a")),
    RECIPIENTS("a.\n", NEITHER("a.")),
    RECIPIENTS("a..b\n", NEITHER("a..b")),
    RECIPIENTS("\"a\n", NEITHER("\"a")),
    RECIPIENTS("\"a\"b\n", NEITHER("\"a\"b")),
    RECIPIENTS("\"\n", NEITHER("\"")),
    RECIPIENTS("\"a\\\n", NEITHER("\"a\\")),
    RECIPIENTS("a\rb\n", FIRST("a?b", "control character")),
    RECIPIENTS("a\0b\n", FIRST("a", "control character")),
    RECIPIENTS("a\xff\n", FIRST("a?", "not UTF-8")),
    RECIPIENTS("# \xff\nb\n", FIRST("# ?", "not UTF-8")),
    RECIPIENTS("0123456789012345678901234567890123456789012345678901234567890123\n", ""),
    RECIPIENTS("01234567890123456789012345678901234567890123456789012345678901234\n", ""),
};

/* What cannot be seen in an editor makes another mailbox all the same. */
Test(lists, invisible_characters)
{
        static const struct {
                const char *octets, *code;
        } cases[] = {{"a\n\xef\xbb\xbf"
                      "b",
                      ":2: "},
                     {"a\xe2\x80\x8b", "U+200B"},
                     {"\xef\xbb\xbf\xef\xbb\xbf"
                      "a",
                      "U+FEFF"},
                     {"a\xc2\x85", "U+0085"},
                     {"a\xe2\x80\xae", "U+202E"},
                     {"\"a\xc2\xa0"
                      "b\"",
                      "U+00A0"}};

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                struct conf_complaints complaints = {0};
                write_file("people", cases[i].octets, strlen(cases[i].octets));
                struct snapshot *snapshot = snapshot_load_text(HOSTNAME DOMAIN, folder, &complaints);
                cr_expect(snapshot == NULL && strstr(complaints.text, cases[i].code) != NULL, "%s",
                          complaints.text);
                snapshot_free(snapshot);
                conf_complaints_end(&complaints);
        }
}

Test(lists, recipients)
{
        for (size_t i = 0; i < sizeof files / sizeof *files; i++)
                check_recipients(files[i].text, files[i].length, files[i].expected);
}

Test(lists, errors_are_told_twenty_times)
{
        char expected[4096] = "";
        for (int line = 1; line <= 20; line++)
                snprintf(expected + strlen(expected), sizeof expected - strlen(expected),
                         "%s/people:%d: error: \"@\": the address is in another domain\n",
                         line == 1 ? "" : folder, line);
        snprintf(expected + strlen(expected), sizeof expected - strlen(expected),
                 "%s/people: error: 5 more errors\n", folder);
        check_recipients("@\n@\n@\n@\n@\n@\n@\n@\n@\n@\n@\n@\n@\n@\n@\n@\n@\n@\n@\n@\n@\n@\n@\n@\n@\n", 50,
                         expected);
}

Test(lists, files_that_cannot_be_read_are_never_empty_lists)
{
        char complaints[512];

        snprintf(complaints, sizeof complaints,
                 "(text):1: error: recipients: %s/none: No such file or directory\n", folder);
        check_complaints(HOSTNAME "domain \"x\" { recipients = \"none\" deliver = \"discard:\" }",
                         complaints);
        snprintf(complaints, sizeof complaints, "(text):1: error: recipients: %s: is a directory\n", folder);
        check_complaints(HOSTNAME "domain \"x\" { recipients = \".\" deliver = \"discard:\" }", complaints);
        check_complaints(HOSTNAME "domain \"x\" { recipients = \"/dev/null\" deliver = \"discard:\" }",
                         "(text):1: error: recipients: /dev/null: is not a regular file\n");
        write_file("people", "", 0);
        snprintf(complaints, sizeof complaints,
                 "(text):1: error: recipients: %s/people names nobody; allow_no_recipients = yes if that is "
                 "meant\n",
                 folder);
        check_complaints(HOSTNAME DOMAIN, complaints);
        write_file("people", "a", 1);
        snprintf(
            complaints, sizeof complaints,
            "(text):1: warning: recipients: %s/people: the last line has no end: was the file written to its "
            "end?\n",
            folder);
        check_complaints(HOSTNAME DOMAIN, complaints);
}

Test(lists, lines_longer_than_any_buffer_are_told)
{
        char *line = malloc(1 << 20), quoted[78] = "", complaints[1024];
        memset(line, 'a', 1 << 20);
        memset(quoted, 'a', sizeof quoted - 1);
        line[0] = line[300] = '\n';
        write_file("people", line, 1 << 20);
        snprintf(complaints, sizeof complaints,
                 "%s/people:2: error: \"%s...\": neither an address nor a local part\n"
                 "%s/people:3: error: \"%s...\": line too long\n",
                 folder, quoted, folder, quoted);
        check_complaints(HOSTNAME DOMAIN, complaints);
        free(line);
}

/* Lines meet the buffer's end at each offset. */
Test(lists, a_million_recipients)
{
        char path[256], name[64];
        snprintf(path, sizeof path, "%s/people", folder);
        FILE *file = fopen(path, "w");
        for (int i = 0; i < 1000000; i++)
                fprintf(file, i % 3 == 0 ? "User%d@isp.example\n" : "user%d\n", i);
        fclose(file);
        struct snapshot *snapshot = load(HOSTNAME DOMAIN);

        cr_expect_eq(snapshot->domains[0].recipients.count, 1000000);
        for (int i = 0; i < 1000000; i += 997) {
                int length = snprintf(name, sizeof name, "user%d", i);
                cr_expect(
                    name_table_find(&snapshot->domains[0].recipients, span_of(name, (size_t)length), NULL));
        }
        cr_expect_not(name_table_find(&snapshot->domains[0].recipients, SPAN("user1000000"), NULL));
        snapshot_free(snapshot);
}

Test(lists, top_level_domains)
{
        char text[4096] = "# list\nCOM\nXN--VERMGENSBERATUNG-PWB\nvermögensberater\n", complaints[512];

        struct snapshot *snapshot = load(HOSTNAME DOMAIN);
        cr_expect_gt(snapshot->tlds.count, 1000);
        cr_expect(name_table_find(&snapshot->tlds, SPAN("com"), NULL));
        cr_expect(name_table_find(&snapshot->tlds, SPAN("xn--p1ai"), NULL));
        cr_expect_not(name_table_find(&snapshot->tlds, SPAN("invalid"), NULL));
        snapshot_free(snapshot);

        write_file("tlds", text, strlen(text));
        snprintf(complaints, sizeof complaints,
                 "(text):1: error: list: %s/tlds: holds fewer than 100 top-level domains\n", folder);
        check_complaints(HOSTNAME "sender_tld { list = \"tlds\" }\n" DOMAIN, complaints);
        for (char c = 'a'; c <= 'z'; c++)
                snprintf(text + strlen(text), sizeof text - strlen(text), "a%c\nb%c\nc%c\nd%c\n", c, c, c, c);
        write_file("tlds", text, strlen(text));
        snapshot = load(HOSTNAME "sender_tld { list = \"tlds\" }\n" DOMAIN);
        cr_expect_eq(snapshot->tlds.count, 107);
        cr_expect(name_table_find(&snapshot->tlds, SPAN("com"), NULL));
        cr_expect(name_table_find(&snapshot->tlds, SPAN("xn--vermgensberater-ctb"), NULL));
        snapshot_free(snapshot);
        strcat(text, "co.uk\n");
        write_file("tlds", text, strlen(text));
        snprintf(complaints, sizeof complaints, "%s/tlds:109: error: \"co.uk\": not a top-level domain\n",
                 folder);
        check_complaints(HOSTNAME "sender_tld { list = \"tlds\" }\n" DOMAIN, complaints);
}

Test(lists, name_table)
{
        struct name_table table = {0};
        uint32_t value = 7;
        char octets[70000] = {0};

        cr_expect_not(name_table_find(&table, SPAN("a"), &value));
        cr_expect(name_table_add(&table, SPAN("a"), 1));
        cr_expect(name_table_add(&table, SPAN("a"), 2), "the first value stays");
        cr_expect(name_table_add(&table, SPAN(""), 3));
        cr_expect(name_table_add(&table, span_of(octets, 65535), 4));
        cr_expect_not(name_table_add(&table, span_of(octets, 65536), 5));
        cr_expect_eq(table.count, 3);
        cr_expect(name_table_find(&table, SPAN("a"), &value) && value == 1);
        cr_expect(name_table_find(&table, SPAN(""), &value) && value == 3);
        cr_expect(name_table_find(&table, span_of(octets, 65535), &value) && value == 4);
        cr_expect_not(name_table_find(&table, SPAN("A"), &value));
        struct name_table_walk walk = {0};
        struct span name;
        cr_expect(name_table_next(&table, &walk, &name) && span_equals(name, SPAN("a")));
        cr_expect(name_table_next(&table, &walk, &name) && name.length == 0);
        cr_expect(name_table_next(&table, &walk, &name) && name.length == 65535);
        cr_expect_not(name_table_next(&table, &walk, &name));
        name_table_end(&table);
        cr_expect_eq(table.count, 0);
}
