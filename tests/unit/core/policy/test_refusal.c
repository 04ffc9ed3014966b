/* The page of one refusal tells what was seen, and nothing that a stranger chose does more than stand there. */
#include "core/policy/refusal.h"

#include "tests/unit/conf/fixture.h"
#include "tests/unit/core/policy/fixture.h"

TestSuite(refusal, .init = folder_begin, .fini = folder_end);

static const char *const links[LANGUAGE_COUNT] = {"/policy/en", "/policy/de"};

#define TEXT(string)                                                                                         \
        {                                                                                                    \
                string, sizeof(string) - 1                                                                   \
        }

static char *page_of(const char *configuration, const struct refusal *refusal, enum language first)
{
        struct snapshot *snapshot = load(configuration);
        char *text = NULL;
        size_t length;
        FILE *file = open_memstream(&text, &length);

        cr_assert_not_null(file);
        policy_refusal_write(file, snapshot, refusal, first, links);
        cr_assert_eq(fclose(file), 0);
        cr_expect(span_is_utf8(span_of(text, length)));
        snapshot_free(snapshot);
        return text;
}

#define LISTS                                                                                                \
        HOSTNAME DOMAIN "resolvers = {\"127.0.0.1:53\"} dnsbl { zone \"zen.spamhaus.org\" { }"               \
                        "zone \"secretkey.zen.dq.spamhaus.net\" { } zone \"bl.spamcop.net\" { } }\n"

static const struct refusal listed = {
    .id = TEXT("1BS0T7G1VBQC"),
    .time = TEXT("2026-11-28T16:53:35.866Z"),
    .client = TEXT("2001:db8::66"),
    .helo = TEXT("client.example.com"),
    .sender = TEXT("example.com"),
    .recipients = {TEXT("isp.example")},
    .recipient_count = 1,
    .code = TEXT("554 5.7.1"),
    .evidence =
        TEXT("zen.spamhaus.org 127.0.0.2 (see https://x.example/), SECRETKEY.zen.dq.spamhaus.net 127.0.0.4"),
    .check = CHECK_dnsbl,
    .reply = REPLY_dnsbl,
};

Test(refusal, it_tells_what_was_seen_in_both_languages)
{
        char *page = page_of(LISTS, &listed, LANGUAGE_GERMAN);

        expect_in(page, "<html lang=\"de\">");
        expect_in(page, "<h1>Warum diese Mail abgelehnt wurde</h1>");
        expect_in(page, "<section lang=\"de\">");
        expect_in(page, "<section lang=\"en\">\n<h2>Why this mail was refused</h2>");
        expect_in(page, "<bdi>1BS0T7G1VBQC</bdi>");
        expect_in(page, "<bdi>2026-11-28T16:53:35.866Z</bdi>");
        expect_in(page, "<bdi>2001:db8::66</bdi>");
        expect_in(page, "<bdi>554 5.7.1</bdi>");
        expect_in(page, "The client&#39;s address is on a DNS blocklist.");
        expect_in(page, "Die Adresse des Clients steht auf einer DNS-Sperrliste.");
        expect_in(page, "href=\"/policy/de#dnsbl\"");
        expect_in(page, "href=\"/policy/en#postmaster\"");
        expect_in(page, "<meta name=\"robots\" content=\"noindex\">");
        free(page);
}

Test(refusal, lists_that_are_named_are_a_link_away)
{
        char *page = page_of(LISTS, &listed, LANGUAGE_ENGLISH);

        expect_in(page, "href=\"https://check.spamhaus.org/results/?query=2001:db8::66\"");
        expect_not_in(page, "spamcop");
        expect_not_in(page, "ecretkey");
        expect_not_in(page, "ECRETKEY");
        expect_in(page, "zen.dq.spamhaus.net 127.0.0.4");
        free(page);
}

/* Its key may be in use still, or again. */
Test(refusal, a_zone_that_is_configured_no_more_keeps_its_key)
{
        struct refusal refusal = listed;

        refusal.evidence =
            SPAN("zen.spamhaus.org 127.0.0.2 127.0.0.4, formerkey.zen.dq.spamhaus.net 127.0.0.4 (said by "
                 "a list), former.internal.example 127.0.0.2, bl.spamcop.net 127.0.0.2");
        char *page = page_of(LISTS, &refusal, LANGUAGE_ENGLISH);
        expect_not_in(page, "former");
        expect_in(page, "zen.spamhaus.org 127.0.0.2 127.0.0.4, zen.dq.spamhaus.net 127.0.0.4 (said by a "
                        "list), … 127.0.0.2, "
                        "bl.spamcop.net 127.0.0.2");
        free(page);
        refusal.evidence = SPAN("former.internal.example cannot be asked");
        page = page_of(LISTS, &refusal, LANGUAGE_ENGLISH);
        expect_not_in(page, "former");
        free(page);
}

/* A name that is cut would not be known as one that is to be hidden. */
Test(refusal, evidence_is_cut_behind_what_is_hidden)
{
        char octets[600];

        for (int fill = 440; fill < 512; fill++) {
                struct refusal refusal = listed;
                snprintf(octets, sizeof octets,
                         "%0*d secretkey.zen.dq.spamhaus.net 127.0.0.2, quixote@b.example", fill, 0);
                refusal.evidence = span_from(octets);
                char *page = page_of(LISTS, &refusal, LANGUAGE_ENGLISH);
                expect_not_in(page, "secretk");
                expect_not_in(page, "quix");
                free(page);
        }
}

Test(refusal, a_deferral_is_none_for_good)
{
        struct refusal refusal = listed;

        refusal.code = SPAN("");
        refusal.reply = REPLY_greylist;
        refusal.check = CHECK_greylist;
        refusal.sender = SPAN("");
        refusal.has_null_sender = true;
        char *page = page_of(HOSTNAME DOMAIN, &refusal, LANGUAGE_ENGLISH);
        expect_in(page, "<h1>Why this mail was put off</h1>");
        expect_in(page, "<bdi>451 4.7.1</bdi>");
        expect_in(page, "none: a notification");
        free(page);
}

Test(refusal, no_local_part_is_told)
{
        struct refusal refusal = listed;

        refusal.sender = SPAN("carla@example.com");
        refusal.recipients[0] = SPAN("boris@isp.example");
        refusal.helo = SPAN("emil@host.example");
        refusal.evidence =
            SPAN("<anna@a.example>, \"dora b\"@b.example; MAIL FROM:<carla+x=1@c.example>,@d.example "
                 "o'fritz@e.example \"gerd \\\"g\"@f.example");
        char *page = page_of(HOSTNAME DOMAIN, &refusal, LANGUAGE_ENGLISH);
        expect_not_in(page, "anna");
        expect_not_in(page, "dora");
        expect_not_in(page, "carla");
        expect_not_in(page, "boris");
        expect_not_in(page, "emil");
        expect_not_in(page, "fritz");
        expect_not_in(page, "o&#39;");
        expect_not_in(page, "gerd");
        expect_in(page, "&lt;…@a.example&gt;, …@b.example; MAIL FROM:&lt;…@c.example&gt;,@d.example");
        free(page);
}

/* ---- strangers ----------------------------------------------------------------------------------------- */

#define RIGHT_TO_LEFT "\xe2\x80\xae"
#define HOSTILE       "\"><script>alert('1')</script>&<img src=x onerror=y>" RIGHT_TO_LEFT "\x1b[31m\r\n\xff\xc3"

static void expect_harmless(const char *page)
{
        expect_not_in(page, "<script");
        expect_not_in(page, "<img");
        expect_not_in(page, "'1'");
        expect_not_in(page, RIGHT_TO_LEFT);
        expect_not_in(page, "\x1b");
        expect_not_in(page, "\r");
        expect_in(page, "&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;");
}

Test(refusal, what_strangers_chose_is_text)
{
        struct span hostile = SPAN(HOSTILE);
        const struct refusal refusal = {.id = hostile,
                                        .time = hostile,
                                        .client = hostile,
                                        .helo = hostile,
                                        .sender = hostile,
                                        .recipients = {hostile, hostile},
                                        .recipient_count = 2,
                                        .code = hostile,
                                        .evidence = hostile,
                                        .check = CHECK_spf,
                                        .reply = REPLY_spf_fail};
        char *page = page_of(LISTS, &refusal, LANGUAGE_ENGLISH);

        expect_harmless(page);
        free(page);
}

Test(refusal, a_name_in_a_link_is_encoded)
{
        struct refusal refusal = listed;

        refusal.sender = SPAN("\"><b>%&#?\0" RIGHT_TO_LEFT);
        refusal.evidence = SPAN("names.example 127.0.0.2");
        char *page = page_of(HOSTNAME DOMAIN "resolvers = {\"127.0.0.1:53\"} rhsbl { mode = enforce }"
                                             "dnsbl { zone \"names.example\" { names = yes removal = "
                                             "\"https://x.example/?query=%a\" } }\n",
                             &refusal, LANGUAGE_ENGLISH);
        expect_in(page, "query=%22%3E%3Cb%3E%25%26%23%3F%00%E2%80%AE\"");
        expect_not_in(page, "<b>");
        free(page);
}

Test(refusal, what_is_no_address_is_not_looked_up)
{
        struct refusal refusal = listed;

        refusal.client = SPAN("h5NfJ2xQ");
        char *page = page_of(LISTS, &refusal, LANGUAGE_ENGLISH);
        expect_in(page, "<bdi>h5NfJ2xQ</bdi>");
        expect_in(page, "href=\"https://check.spamhaus.org/");
        expect_not_in(page, "query=h5NfJ2xQ");
        free(page);
}

Test(refusal, long_names_are_cut)
{
        static char name[8192], at_signs[8192];
        struct refusal refusal = listed;

        memset(name, 'n', sizeof name);
        for (size_t i = 0; i < sizeof at_signs; i++)
                at_signs[i] = i % 2 == 0 ? 'a' : '@';
        refusal.helo = span_of(name, sizeof name);
        refusal.sender = refusal.helo;
        refusal.client = refusal.helo;
        refusal.evidence = span_of(at_signs, sizeof at_signs);
        char *page = page_of(LISTS, &refusal, LANGUAGE_ENGLISH);
        cr_expect_lt(strlen(page), 32768);
        expect_in(page, "nnn…</bdi>");
        expect_in(page, "…@…@");
        expect_not_in(page, "a@");
        free(page);
        refusal.evidence = refusal.helo;
        page = page_of(LISTS, &refusal, LANGUAGE_ENGLISH);
        cr_expect_lt(strlen(page), 32768);
        free(page);
}

Test(refusal, what_is_not_known_is_not_shown)
{
        const struct refusal refusal = {
            .id = TEXT("1BS0T7G1VBQC"), .check = CHECK_COUNT, .reply = REPLY_no_room};
        char *page = page_of(HOSTNAME DOMAIN, &refusal, LANGUAGE_ENGLISH);

        expect_not_in(page, "HELO");
        expect_in(page, "The server had as many connections as it takes.");
        expect_in(page, "<a href=\"/policy/en\">All rules of this server</a>");
        free(page);
}
