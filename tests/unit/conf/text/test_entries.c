/* Entries of files, and the lines on which they stand. */
#include "conf/text/entries.h"

#include <criterion/criterion.h>

static const struct {
        const char *text;
        const char *entries; /* "LINE=ENTRY;" of each */
} rows[] = {
    {"", ""},
    {"\n \n\t\n", ""},
    {"one", "1=one;"},
    {"one\ntwo\n", "1=one;2=two;"},
    {"one\r\ntwo\r\n", "1=one;2=two;"},
    {"\r\n \t one two \t\r\n", "2=one two;"},
    {"# none\n\n  # none either\none # within\n#", "4=one # within;"},
    {"#", ""},
    {"one\r\r\n", "1=one\r;"},
};

Test(entries, with_their_lines)
{
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                struct span rest = span_from(rows[i].text), entry;
                char octets[100];
                struct text found;

                text_over(&found, octets, sizeof octets);
                for (uint32_t line = 0; (entry = entry_take(&rest, &line)).length > 0;)
                        text_printf(&found, "%u=%.*s;", line, (int)entry.length, entry.at);
                cr_expect(span_equals(text_span(&found), span_from(rows[i].entries)), "row %zu: %.*s", i,
                          (int)found.length, found.at);
        }
}
