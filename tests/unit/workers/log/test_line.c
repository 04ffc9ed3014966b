/* Lines of the log with pseudonyms: what is hidden, what stays, and that it comes back. */
#include "workers/log/line.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define KEY "2026-11-01:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define HEAD                                                                                                 \
        "{\"time\":\"2026-11-29T08:00:00.123Z\",\"event\":\"session\",\"client\":\"192.0.2.7\",\"port\":25,"

static struct pseudonym_keys keys;
static char hidden_octets[65536], shown_octets[65536];
static struct text hidden, shown;

static void begin(void)
{
        keys = (struct pseudonym_keys){0};
        cr_assert_null(pseudonym_keys_add(&keys, SPAN(KEY)));
        text_over(&hidden, hidden_octets, sizeof hidden_octets);
        text_over(&shown, shown_octets, sizeof shown_octets);
}

TestSuite(log_line, .init = begin);

static void hide(const char *line)
{
        hidden.length = shown.length = 0;
        log_line_hide(&(struct log_privacy){&keys, 0, 0}, span_from(line), &hidden);
        cr_assert_not(hidden.overflowed);
}

static bool has(const char *part)
{
        return memmem(hidden.at, hidden.length, part, strlen(part)) != NULL;
}

/* What is hidden twice is the same as what is hidden once, and comes back. */
static void assert_comes_back(const char *line)
{
        log_line_hide(&(struct log_privacy){&keys, 24, 48}, text_span(&hidden), &shown);
        cr_expect(span_equals(text_span(&hidden), text_span(&shown)), "%.*s", (int)shown.length, shown.at);
        shown.length = 0;
        cr_expect(log_line_reveal(&keys, text_span(&hidden), &shown));
        cr_expect(span_equals(text_span(&shown), span_from(line)), "%.*s\n%.*s", (int)shown.length, shown.at,
                  (int)hidden.length, hidden.at);
}

struct row {
        const char *field, *gone[3], *kept[3];
};

static void assert_hides(const struct row *row)
{
        char line[1024];

        snprintf(line, sizeof line, "%s%s,\"end\":\"quit\"}\n", HEAD, row->field);
        hide(line);
        for (size_t i = 0; i < 3 && row->gone[i] != NULL; i++)
                cr_expect_not(has(row->gone[i]), "%s: %s is there: %.*s", row->field, row->gone[i],
                              (int)hidden.length, hidden.at);
        for (size_t i = 0; i < 3 && row->kept[i] != NULL; i++)
                cr_expect(has(row->kept[i]), "%s: no %s: %.*s", row->field, row->kept[i], (int)hidden.length,
                          hidden.at);
        cr_expect(has("\"client\":\"~a20261101~") && has(",\"end\":\"quit\"}\n"));
        assert_comes_back(line);
}

Test(log_line, hides_persons_and_keeps_the_rest)
{
        static const struct row rows[] = {
            {"\"helo\":\"mail.client.example\"", {"192.0.2.7"}, {"\"mail.client.example\"", "\"port\":25"}},
            {"\"helo\":\"[192.0.2.7]\"", {"192.0.2.7"}, {"\"[~a"}},
            {"\"helo\":\"[IPv6:2001:db8::7]\"", {"2001"}, {"[IPv6:~a"}},
            {"\"helo\":\"[IPv6:2001:DB8::7]\"", {"DB8"}, {"[IPv6:~t"}},
            {"\"helo\":\"dsl-192-0-2-7.pool.isp.example\"", {"192-0-2-7", "dsl"}, {".pool.isp.example\""}},
            {"\"helo\":\"7.2.0.192.in-addr.arpa\"", {"7.2.0.192"}, {".in-addr.arpa"}},
            {"\"helo\":\"C0000207.dyn.isp.example\"", {"C0000207"}, {".dyn.isp.example"}},
            {"\"from\":\"alice@isp.example\"", {"alice"}, {"@isp.example\""}},
            {"\"from\":\"\"", {"~m"}, {"\"from\":\"\""}},
            {"\"to\":\"postmaster\"", {"postmaster"}, {"~m"}},
            {"\"to\":\"a\\u00fcb@isp.example\"", {"u00fc"}, {"@isp.example\""}},
            {"\"to\":\"\\\"a b@c\\\"@isp.example\"", {"a b"}, {"@isp.example\""}},
            {"\"to\":\"bob@[198.51.100.9]\"", {"bob", "198.51"}, {"@[~a"}},
            {"\"to\":\"bob@[IPv6:2001:db8::9]\"", {"bob", "db8"}, {"@[IPv6:~a"}},
            {"\"evidence\":\"zen.spamhaus.org 127.0.0.2 (see https://x.example/query/ip/192.0.2.7)\"",
             {"192.0.2.7"},
             {"zen.spamhaus.org 127.0.0.2 (see https://x.example/query/ip/~a"}},
            {"\"evidence\":\"192.0.2.9, 192.0.2.10. 192.0.2.11:25\"", {"192."}, {", ~a", ". ~a", ":25\""}},
            {"\"evidence\":\"v=spf1 ip4:198.51.100.0/24 -all\"", {NULL}, {"ip4:", "/24 -all"}},
            {"\"early\":\"MAIL FROM:<bob@x.example>\\u000d\\u000aRCPT TO:<eve.9@y.example>\"",
             {"bob", "eve.9"},
             {"MAIL FROM:<~m", "@x.example>\\u000d\\u000aRCPT TO:<~m", "@y.example>"}},
            {"\"bad_line\":\"VRFY \\\"john doe\\\"@x.example \\\"plain\\\"\"", {"john"}, {"\\\"plain\\\""}},
            {"\"bad_line\":\"\\u00ff192-0-2-7.x.example\"", {"192-0"}, {"\\u00ff"}},
            {"\"message_id\":\"1234.5@host.example\"", {"1234.5"}, {"@host.example"}},
            {"\"unknown_field\":\"bob@x.example\"", {"bob"}, {"@x.example"}},
            {"\"check\":\"dnsbl\",\"reject_id\":\"1BS0T7G1VBQC\",\"id\":\"1BS0T7G1VBQB\"",
             {NULL},
             {"\"dnsbl\"", "1BS0T7G1VBQC", "1BS0T7G1VBQB"}},
            {"\"proxy\":\"198.51.100.1\",\"file\":\"conf@x\"", {NULL}, {"198.51.100.1", "conf@x"}},
            {"\"path\":\"/var/mail/alice\"", {NULL}, {"/var/mail/alice"}},
        };

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
                assert_hides(&rows[i]);
}

Test(log_line, hides_what_is_not_spelt_as_usual)
{
        static const struct row rows[] = {
            {"\"helo\":\"ip-192-0-2-7\"", {"192-0"}, {"\"~t"}},
            {"\"helo\":\"ip_192_0_2_7.isp.example\"", {"192_0"}, {".isp.example\""}},
            {"\"message_id\":\"1@192.0.2.7\"", {"192.0"}, {"@~a"}},
            {"\"message_id\":\"1@dsl-192-0-2-7.isp.example\"", {"192-0"}, {"@~t", ".isp.example\""}},
            {"\"message_id\":\"1@127.0.0.1\"", {"1@"}, {"@127.0.0.1\""}},
            {"\"from\":\"bob@198.51.100.9\"", {"198."}, {"@~a"}},
            {"\"from\":\"bob@7.2.0.192.x.example\"", {"2.0.192"}, {"@~t", ".x.example\""}},
            {"\"from\":\"\\\"a b\\\"@ip-192-0-2-7.x.example\"", {"a b", "192-0"}, {".x.example\""}},
            {"\"early\":\"\\\"a b\\\"@ip-192-0-2-7.x.example\"", {"a b", "192-0"}, {".x.example\""}},
            {"\"evidence\":\"-ip4:198.51.100.9 -ip6:2001:db8::9/64 of x.example\"",
             {"198.", "2001"},
             {"-ip4:~a", "-ip6:~a", "/64 of x.example"}},
            {"\"evidence\":\"http://x.example/why?id=bob%40y.example&ip=192.0.2.7\"",
             {"bob", "192."},
             {"http://x.example/why?id=~m", "%40y.example&ip=~a"}},
            {"\"bad_line\":\"RCPT TO:<bob>\"", {"bob"}, {"RCPT TO:<~m", ">\""}},
            {"\"bad_line\":\"RCPT TO:<bob dole@x.example> A\"", {"bob", "dole"}, {"@x.example> A\""}},
            {"\"bad_line\":\"RCPT TO:<bob\"", {"bob"}, {"TO:<~m"}},
            {"\"bad_line\":\"MAIL FROM:<>\"", {"~m"}, {"FROM:<>\""}},
            {"\"reason\":\"fdab:cdef::beef has no digit\"", {"beef"}, {"~a"}},
        };

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
                assert_hides(&rows[i]);
}

/* As DNS lists are asked, and as "%{i}" of SPF is written. */
Test(log_line, nibbles_of_the_client_are_hidden)
{
        static const char *const names[] = {
            "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2",
            "x.7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2",
            "2.0.0.1.0.d.b.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.7",
        };
        char line[1024];

        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
                snprintf(line, sizeof line,
                         "{\"time\":\"2026-11-29T08:00:00.123Z\",\"client\":\"2001:db8::7\","
                         "\"evidence\":\"%s.z.example 127.0.0.2\"}",
                         names[i]);
                hide(line);
                cr_expect_not(has("0.0.0.0.0"), "%.*s", (int)hidden.length, hidden.at);
                cr_expect(has(".z.example 127.0.0.2\""), "%.*s", (int)hidden.length, hidden.at);
                assert_comes_back(line);
        }
}

Test(log_line, a_field_belongs_to_its_event)
{
        static const char line[] = "{\"time\":\"2026-11-29T08:00:00.123Z\",\"event\":\"store_failed\","
                                   "\"path\":\"/var/mail/alice\"}\n";
        hide(line);
        cr_expect_not(has("/var"));
        assert_comes_back(line);
        cr_expect(span_equals(log_line_event(text_span(&hidden)), SPAN("store_failed")));
}

Test(log_line, the_network_stands_beside_a_client)
{
        log_line_hide(&(struct log_privacy){&keys, 24, 48}, SPAN(HEAD "\"end\":\"quit\"}\n"), &hidden);
        cr_expect(has("\",\"network\":\"192.0.2.0/24\",\"port\":25"), "%.*s", (int)hidden.length, hidden.at);
        hidden.length = 0;
        log_line_hide(&(struct log_privacy){&keys, 24, 48},
                      SPAN("{\"event\":\"x\",\"client\":\"2001:db8:1:2::3\",\"port\":25}"), &hidden);
        cr_expect(has("\",\"network\":\"2001:db8:1::/48\",\"port\":25"), "%.*s", (int)hidden.length,
                  hidden.at);
}

Test(log_line, whatever_is_no_line_is_hidden_as_a_text)
{
        static const char *const lines[] = {
            "192.0.2.7 talked to bob@x.example\n",
            "{\"time\":\"2026-11-29T08:00:00.123Z\",\"event\":\"session\",\"client\":\"192.0.2.7\",\"helo\":"
            "\"[192.0.2.7",
            "{\"client\":\"192.0.2.7\\",
            "{\"x\":\"192.0.2.7\\\"",
            "\\",
            "{\"",
            "",
            "~",
            "~a20261101~aaaaaaaaaaaaaaaaaaaaaaaaaa",
        };

        for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
                hide(lines[i]);
                cr_expect_not(has("192.0.2.7") || has("bob"), "%.*s", (int)hidden.length, hidden.at);
                log_line_reveal(&keys, text_span(&hidden), &shown);
                cr_expect(span_equals(text_span(&shown), span_from(lines[i])), "%s", lines[i]);
        }
}

/* Each cut of a line, so that no octet behind an end is read (under AddressSanitizer). */
Test(log_line, cuts_do_no_harm)
{
        static const char line[] =
            HEAD "\"early\":\"\\u00e4\\\"x@y\\\"@z \\u000d\",\"from\":\"a@[1.2.3.4]\"}";

        for (size_t i = 0; i < sizeof line; i++) {
                char *cut = strndup(line, i);
                hide(cut);
                assert_comes_back(cut);
                free(cut);
        }
}

Test(log_line, what_cannot_be_revealed_stays_and_is_told)
{
        hide(HEAD "\"from\":\"a@b.example\"}");
        struct pseudonym_keys none = {0};
        cr_expect(log_line_has_pseudonyms(text_span(&hidden)));
        cr_expect_not(log_line_reveal(&none, text_span(&hidden), &shown));
        cr_expect(span_equals(text_span(&hidden), text_span(&shown)));
        cr_expect_not(log_line_has_pseudonyms(SPAN("~ ~~ ~a2 \"~bob@x\"")));
}
