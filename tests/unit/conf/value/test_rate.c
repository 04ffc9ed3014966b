/* Shares of a whole as text. */
#include "conf/value/rate.h"

#include <criterion/criterion.h>

Test(share, is_read_and_written)
{
        static const struct {
                const char *text;
                uint64_t ppm;
                const char *written;
        } rows[] = {{"1%", 10000, "1%"}, {"0.1 %", 1000, "0.1%"},          {"100%", 1000000, "100%"},
                    {"0", 0, "0%"},      {"12.3456%", 123456, "12.3456%"}, {"0.05%", 500, "0.05%"},
                    {"0%", 0, "0%"}};
        char octets[16];
        struct text text;

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                uint64_t ppm = UINT64_MAX;
                cr_expect(share_parse(span_from(rows[i].text), &ppm), "%s", rows[i].text);
                cr_expect_eq(ppm, rows[i].ppm, "%s: %lu", rows[i].text, (unsigned long)ppm);
                text_over(&text, octets, sizeof octets);
                share_write(&text, ppm);
                cr_expect(span_equals(text_span(&text), span_from(rows[i].written)), "%.*s", (int)text.length,
                          text.at);
        }
}

Test(share, faults)
{
        static const char *const faulty[] = {"",         "%",  "1",   "0.1", "-1%", "1.%",
                                             "1.00001%", "x%", "1%%", ".5%", "101%"};
        uint64_t ppm = 7;

        for (size_t i = 0; i < sizeof faulty / sizeof *faulty; i++)
                cr_expect_not(share_parse(span_from(faulty[i]), &ppm), "%s", faulty[i]);
        cr_expect_eq(ppm, 7u);
}
