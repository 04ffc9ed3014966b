/* What needs DNS: zones of dnsbl, filters, resolvers. */
#include "tests/unit/conf/fixture.h"

#include "conf/value/filter.h"

TestSuite(zones, .init = folder_begin, .fini = folder_end);

#define RESOLVERS "resolvers = {\"127.0.0.1:53\"} "

/* "2 3 10": the last octets, in 127.0.0.0/24, that match. */
static const char *matches(const struct filter_list *list)
{
        static char octets[2048];
        struct text text;

        text_over(&text, octets, sizeof octets - 1);
        for (unsigned i = 0; i < 256; i++)
                if (filter_list_matches(list, (const uint8_t[4]){127, 0, 0, (uint8_t)i}))
                        text_printf(&text, "%s%u", text.length == 0 ? "" : " ", i);
        octets[text.length] = '\0';
        return octets;
}

Test(zones, there_is_a_default)
{
        struct snapshot *snapshot = load(HOSTNAME "dnsbl { threshold = 3 }" DOMAIN);
        const struct dnsbl_zone *zone = &snapshot->zones[0];

        cr_assert_eq(snapshot->zone_count, 1);
        cr_expect_eq(snapshot->options.dnsbl_threshold, 3);
        cr_expect(span_equals(zone->name, SPAN("zen.spamhaus.org")));
        cr_expect_str_eq(matches(&zone->options.answers), "2 3 4 5 6 7 8 9 10 11");
        cr_expect_str_eq(matches(&zone->options.dynamic), "10 11");
        cr_expect_eq(zone->options.weight, 1);
        cr_expect_eq(zone->options.errors.count, 0);
        cr_expect(zone->options.self_test && !zone->options.names);
        cr_expect_eq(zone->place.line, 0);
        snapshot_free(snapshot);
}

Test(zones, sections_replace_it)
{
        struct snapshot *snapshot =
            load(HOSTNAME RESOLVERS
                 "dnsbl { zone \"B\xc3\xbc"
                 "cher.example\" { weight = -7\n errors = {\"127.0.0.255\"} }\n"
                 "zone \"names.example\" { names = yes self_test = no weight = 1000000\n"
                 "answers = {\"127.0.0.2\"} answers += \"127.0.0.[4;6..7]\" dynamic = {} } }\n" DOMAIN);
        const struct dnsbl_zone *first = &snapshot->zones[0], *second = &snapshot->zones[1];

        cr_assert_eq(snapshot->zone_count, 2);
        cr_expect(span_equals(first->name, SPAN("xn--bcher-kva.example")));
        cr_expect_eq(first->options.weight, -7);
        cr_expect_str_eq(matches(&first->options.errors), "255");
        cr_expect(filter_list_matches(&first->options.answers, (const uint8_t[4]){127, 0, 0, 255}));
        cr_expect_not(filter_list_matches(&first->options.answers, (const uint8_t[4]){127, 0, 0, 1}));
        cr_expect_not(filter_list_matches(&first->options.answers, (const uint8_t[4]){127, 0, 1, 2}));
        cr_expect_eq(first->place.line, 1);
        cr_expect(second->options.names && !second->options.self_test);
        cr_expect_eq(second->options.weight, 1000000);
        cr_expect_str_eq(matches(&second->options.answers), "2 4 6 7");
        cr_expect_eq(second->options.dynamic.count, 0);
        cr_expect_eq(second->place.line, 3);
        snapshot_free(snapshot);
}

#define WEIGHT(text)                                                                                         \
        "zone \"a.example\" { weight = " text " }",                                                          \
            "weight = \"" text "\": must be from -1000000 to 1000000, and not 0"
#define WORD(text)                                                                                           \
        "zone \"a.example\" { weight = " text " }",                                                          \
            "weight = \"" text "\": needs a whole number such as 2, or -1 for an allowlist"
#define FILTER(text)                                                                                         \
        "zone \"a.example\" { answers = {\"" text "\"} }",                                                   \
            "answers = \"" text "\": needs IPv4 addresses such as 127.0.0.2 or "                             \
            "127.0.[1;3].[2..11]"
#define LABEL "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789."

static const struct {
        const char *section, *complaints;
} bad[] = {
    {WEIGHT("0")},
    {WEIGHT("-0")},
    {WORD("-")},
    {WORD("--1")},
    {WORD("1.5")},
    {WORD("high")},
    {WEIGHT("1000001")},
    {WEIGHT("-1000001")},
    {WEIGHT("-99999999999999999999")},
    {"zone \"a..b\" { }", "zone \"a..b\": not a domain name"},
    {"zone \"a_b.example\" { }", "zone \"a_b.example\": not a domain name"},
    {"zone \"\" { }", "zone \"\": not a domain name"},
    {"zone \"a.example.\" { }", "zone \"a.example.\": not a domain name"},
    {"zone \"" LABEL LABEL LABEL "example\" { }",
     "zone \"" LABEL LABEL LABEL "example\": too long to ask for addresses in it"},
    {"zone \"a.example\" { } zone \"A.Example\" { }", "zone \"a.example\" is given twice, first in (text):1"},
    {"zone \"a.example\" { answers = {} }",
     "zone \"a.example\": has no answers: nothing would ever be listed"},
    {"zone \"a.example\" { weigth = 1 }", "unknown key \"weigth\" in section zone; did you mean \"weight\"?"},
    {"zone \"a.example\" { weight = 1 weight = 2 }", "weight is given twice, first in (text):1"},
    {"zone { }", "zone is a section with a name; write zone \"NAME\" { ... }"},
    {"zone \"a.example\" { names = on }", "names = \"on\": must be no or yes"},
};

Test(zones, bad_ones_are_told)
{
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
                char text[1024], complaints[1024];
                snprintf(text, sizeof text, HOSTNAME "dnsbl { %s }\n%s", bad[i].section, DOMAIN);
                snprintf(complaints, sizeof complaints, "(text):1: error: %s\n", bad[i].complaints);
                check_complaints(text, complaints);
        }
}

static const char *const bad_filters[] = {"",
                                          "127.0.0",
                                          "127.0.0.",
                                          ".127.0.0.1",
                                          "127.0.0.1.",
                                          "127.0.0.2.3",
                                          "127.0.0.256",
                                          "127.0.0.[]",
                                          "127.0.0.[2",
                                          "127.0.0.2]",
                                          "127.0.0.2..11",
                                          "127.0.0.[2..1]",
                                          "127.0.0.[2...3]",
                                          "127.0.0.[2.3]",
                                          "127.0.0.[;]",
                                          "127.0.0.[2;]",
                                          "127.0.0.[;2]",
                                          "127.0.0.[..2]",
                                          "127.0.0.[2..]",
                                          "127.0.0.[2]x",
                                          "127.0.0.[2][3]",
                                          "127.0.0.-1",
                                          "127.0.0. 1",
                                          "127.0.0.[2-11]",
                                          "127.0.0.*",
                                          "127.0.0.[2..256]",
                                          "::1",
                                          "127.0..1",
                                          "127.[0.0].1",
                                          "[127.0.0.1]",
                                          "127.0.0.[0..5..9]",
                                          "127.0.0.[1..2;3..4..5]",
                                          "[[127].0.0.1",
                                          "a.0.0.1"};

Test(zones, bad_filters_are_refused)
{
        for (size_t i = 0; i < sizeof bad_filters / sizeof *bad_filters; i++) {
                struct answer_filter filter;
                cr_expect_not(answer_filter_parse(span_from(bad_filters[i]), &filter), "%s", bad_filters[i]);
        }
        check_complaints(
            HOSTNAME "dnsbl { zone \"a.example\" {\n answers = {\"127.0.0.2\",\n\"127.0.0\"} } }\n" DOMAIN,
            "(text):3: error: answers = \"127.0.0\": needs IPv4 addresses such as 127.0.0.2 or "
            "127.0.[1;3].[2..11]\n");
}

static const struct {
        const char *filter;
        uint8_t yes[4], no[4];
} filters[] = {
    {"127.0.0.2", {127, 0, 0, 2}, {127, 0, 0, 3}},
    {"[0..255].[0..255].[0..255].[0..255]", {255, 0, 63, 64}, {0}},
    {"127.[1;3].0.[2..11;200]", {127, 3, 0, 200}, {127, 2, 0, 200}},
    {"127.[1;3].0.[2..11;200]", {127, 1, 0, 11}, {127, 1, 0, 12}},
    {"127.0.[63..64].[191..192]", {127, 0, 64, 191}, {127, 0, 65, 191}},
    {"127.0.[63..64].[191..192]", {127, 0, 63, 192}, {127, 0, 63, 190}},
    {"[1].[2].[3].[4..4]", {1, 2, 3, 4}, {1, 2, 3, 5}},
};

Test(zones, filters_match)
{
        for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
                struct answer_filter filter;
                struct filter_list list = {&filter, 1}, none = {0};
                cr_assert(answer_filter_parse(span_from(filters[i].filter), &filter), "%s",
                          filters[i].filter);
                cr_expect(filter_list_matches(&list, filters[i].yes), "%s", filters[i].filter);
                cr_expect_eq(filter_list_matches(&list, filters[i].no), i == 1, "%s", filters[i].filter);
                cr_expect_not(filter_list_matches(&none, filters[i].yes));
        }
}

Test(zones, stand_in_dnsbl_only)
{
        check_complaints(HOSTNAME "zone \"a.example\" { }\nrhsbl { zone \"a.example\" { } }\n" RESOLVERS
                                  "domain \"isp.example\" { recipients = \"people\" deliver = \"discard:\"\n"
                                  "dnsbl { zone \"a.example\" { } } }\n",
                         "(text):1: error: unknown key \"zone\"\n"
                         "(text):2: error: unknown key \"zone\" in section rhsbl; did you mean \"mode\"?\n"
                         "(text):4: error: unknown key \"zone\" in section dnsbl; did you mean \"mode\"?\n");
}

Test(zones, are_bounded)
{
        char octets[4096];
        struct text text;

        text_over(&text, octets, sizeof octets - 1);
        text_put_string(&text, HOSTNAME RESOLVERS DOMAIN "dnsbl {");
        for (int i = 0; i < DNSBL_ZONES_MAX; i++)
                text_printf(&text, "\nzone \"z%d.example\" { }", i);
        size_t length = text.length;
        text_put_string(&text, "}");
        octets[text.length] = '\0';
        check_complaints(octets, "");
        text.length = length;
        text_put_string(&text, "\nzone \"z.example\" { }\nzone \"y..example\" { } }");
        octets[text.length] = '\0';
        check_complaints(octets, "(text):35: error: zone \"z.example\": too many zones\n");
}

/* ---- without resolvers --------------------------------------------------------------------------------- */

Test(zones, checks_need_resolvers)
{
        struct snapshot *without = load(HOSTNAME DOMAIN), *with = load(HOSTNAME RESOLVERS DOMAIN);

        for (size_t check = 0; check < CHECK_COUNT; check++) {
                bool is_on = check_infos[check].default_mode != CHECK_MODE_OFF;
                cr_expect_eq(with->check_is_wanted[check], is_on, "%s", check_infos[check].name);
                cr_expect_eq(without->check_is_wanted[check], is_on && check_infos[check].needs != NEEDS_DNS,
                             "%s", check_infos[check].name);
        }
        cr_expect(check_infos[CHECK_spf].needs == NEEDS_DNS &&
                  check_infos[CHECK_helo_name].needs != NEEDS_DNS);
        snapshot_free(without);
        snapshot_free(with);
}

#define NO_RESOLVERS ": needs DNS, but there are no resolvers: it is off\n"

Test(zones, missing_resolvers_are_told)
{
        static const char text[] =
            HOSTNAME "\nspf { mode = observe }\ndnsbl { mode = off }\nsender_mx { }\n"
                     "domain \"a.example\" { recipients = \"people\" deliver = \"discard:\"\n"
                     "dnsbl { mode = enforce } rhsbl { mode = off } }\n"
                     "domain \"b.example\" { recipients = \"people\" deliver = \"discard:\"\n"
                     "spf {\nmode = enforce } }\n"
                     "helo_name { mode = observe\nmust_resolve = yes }\n";
        char with[1024];

        check_complaints(
            text, "(text):6: warning: dnsbl" NO_RESOLVERS "(text):2: warning: spf" NO_RESOLVERS
                  "(text):9: warning: spf" NO_RESOLVERS
                  "(text):11: warning: must_resolve: needs DNS, but there are no resolvers: taken as no\n");
        snprintf(with, sizeof with, RESOLVERS "%s", text);
        check_complaints(with, "");
        struct snapshot *snapshot = load(text);
        cr_expect_not(snapshot->options.helo_name_must_resolve);
        cr_expect_not(snapshot->check_is_wanted[CHECK_spf]);
        cr_expect(snapshot->check_is_wanted[CHECK_helo_name]);
        snapshot_free(snapshot);
        snapshot = load(with);
        cr_expect(snapshot->options.helo_name_must_resolve);
        cr_expect(snapshot->check_is_wanted[CHECK_dnsbl], "one domain wants it");
        snapshot_free(snapshot);
}

Test(zones, resolvers_are_near)
{
        check_complaints(HOSTNAME
                         "resolvers = {\"127.0.0.53:53\", \"[::1]:53\", \"10.1.1.1:53\", \"172.31.0.1:53\",\n"
                         "\"192.168.1.1:53\", \"[fd00::53]:53\", \"[fe80::1]:5353\"}\n" DOMAIN,
                         "");
        check_complaints(
            HOSTNAME "resolvers = {\"192.0.2.53:53\",\n\"127.0.0.1:53\", \"[2001:db8::53]:53\", "
                     "\"172.32.0.1:53\"}\n" DOMAIN,
            "(text):2: warning: resolvers: 192.0.2.53 is neither loopback nor private: it must be on a "
            "trusted link\n"
            "(text):2: warning: resolvers: 2001:db8::53 is neither loopback nor private: it must be on a "
            "trusted link\n"
            "(text):2: warning: resolvers: 172.32.0.1 is neither loopback nor private: it must be on a "
            "trusted link\n");
}
