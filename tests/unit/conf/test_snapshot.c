/* Snapshots: checks, replies, domains, names, defaults. */
#include "conf/value/print.h"
#include "conf/value/next_hop.h"
#include "tests/unit/conf/fixture.h"
#include "conf/value/rate.h"
#include "conf/value/filter.h"

TestSuite(snapshot, .init = folder_begin, .fini = folder_end);

static struct span own_name(const struct snapshot *snapshot, const char *name)
{
        return snapshot_own_name(snapshot, span_from(name));
}

Test(snapshot, checks_have_modes_and_places)
{
        struct snapshot *snapshot =
            load(HOSTNAME "helo_name { mode = observe }\nsender_tld {\nmode = off }\n"
                          "early_talker { mode = off }\n"
                          "domain \"a.example\" { recipients = \"people\" deliver = \"discard:\"\n"
                          " helo_name { mode = off } }\n"
                          "domain \"b.example\" { recipients = \"people\" deliver = \"discard:\"\n"
                          " sender_tld { mode = enforce } }\n");
        const struct domain *a = &snapshot->domains[0], *b = &snapshot->domains[1];

        cr_expect_eq(snapshot->checks[CHECK_helo_name].mode, CHECK_MODE_OBSERVE);
        cr_expect_eq(snapshot->checks[CHECK_helo_name].place.line, 1);
        cr_expect_eq(snapshot->checks[CHECK_sender_tld].place.line, 3);
        cr_expect_str_eq(snapshot->checks[CHECK_sender_tld].place.file, "(text)");
        cr_expect_eq(snapshot->checks[CHECK_helo_impersonation].place.line, 0);
        cr_expect_eq(snapshot->checks[CHECK_syntax].mode, CHECK_MODE_ENFORCE);
        cr_expect_eq(a->checks[CHECK_helo_name].mode, CHECK_MODE_OFF);
        cr_expect_eq(a->checks[CHECK_helo_name].place.line, 6);
        cr_expect_eq(b->checks[CHECK_helo_name].mode, CHECK_MODE_OBSERVE);
        cr_expect_eq(b->checks[CHECK_helo_name].place.line, 1);
        cr_expect(snapshot->check_is_wanted[CHECK_sender_tld], "one domain wants it");
        cr_expect_not(snapshot->check_is_wanted[CHECK_early_talker]);
        snapshot_free(snapshot);
}

static const struct {
        const char *text, *complaints;
} replies[] = {
    {"banner = \"220 x\"", "banner: only refusals (4xx and 5xx) can be changed"},
    {"idle = \"250 2.0.0 x\"", "idle: a refusal must stay one (4xx or 5xx)"},
    {"helo_first = \"421 4.0.0 x\"",
     "helo_first: 421 closes the session, which this reply does not (RFC 5321 3.8)"},
    {"helo_first = \"550 4.0.0 x\"", "helo_first: code and enhanced code must be of one class"},
    {"helo_first = \"550 x\"",
     "helo_first: a refusal needs an enhanced code (RFC 3463), such as \"550 5.7.1 text\""},
    {"helo_first = \"550 5.1 x\"",
     "helo_first: a refusal needs an enhanced code (RFC 3463), such as \"550 5.7.1 text\""},
    {"helo_first = \"550 5.01.1 x\"",
     "helo_first: a refusal needs an enhanced code (RFC 3463), such as \"550 5.7.1 text\""},
    {"helo_first = \"550 5.1.1234 x\"",
     "helo_first: a refusal needs an enhanced code (RFC 3463), such as \"550 5.7.1 text\""},
    {"helo_first = \"660 6.1.1 x\"", "helo_first: a reply begins with a code, such as \"550 5.7.1 text\""},
    {"helo_first = \"55 5.1.1 x\"", "helo_first: a reply begins with a code, such as \"550 5.7.1 text\""},
    {"helo_first = \"550-5.1.1 x\"", "helo_first: a reply begins with a code, such as \"550 5.7.1 text\""},
    {"helo_first = \"550 5.1.1 \"", "helo_first: a reply needs a text"},
    {"helo_first = \"550 5.1.1 %q\"", "helo_first: unknown placeholder; there are %r %s %h %c %n %v %%"},
    {"helo_first = \"550 5.1.1 x%\"", "helo_first: unknown placeholder; there are %r %s %h %c %n %v %%"},
    {"helo_first = \"550 5.1.1 ü\"", "helo_first: a reply is printable ASCII"},
    {"helo_first = \"550 5.1.1 x\\r\\n\"", "helo_first: control character, or not UTF-8"},
};

Test(snapshot, bad_replies_are_told)
{
        for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
                char text[512], complaints[512];
                snprintf(text, sizeof text, "%sreplies { %s }\n%s", HOSTNAME, replies[i].text, DOMAIN);
                snprintf(complaints, sizeof complaints, "(text):1: error: %s\n", replies[i].complaints);
                check_complaints(text, complaints);
        }
}

Test(snapshot, replies_are_taken_apart)
{
        struct snapshot *snapshot = load(HOSTNAME "replies { recipient_unknown = \"451 4.1.12 who is %r?\"\n"
                                                  "idle = \"421 4.0.0 %%\" }\n" DOMAIN);
        const struct reply_template *changed = &snapshot->replies[REPLY_recipient_unknown];

        cr_expect_eq(changed->code, 451);
        cr_expect(changed->is_policy);
        cr_expect(span_equals(changed->status, SPAN("451 4.1.12 ")));
        cr_expect(span_equals(changed->enhanced, SPAN("4.1.12")));
        cr_expect(span_equals(changed->text, SPAN("who is %r?")));
        cr_expect(span_equals(snapshot->replies[REPLY_banner].status, SPAN("220 ")));
        cr_expect_eq(snapshot->replies[REPLY_banner].enhanced.length, 0);
        cr_expect(span_equals(snapshot->replies[REPLY_banner].text, SPAN("%n ESMTP gatepost")));
        snapshot_free(snapshot);
}

static const struct {
        const char *domain, *complaints;
} domains[] = {
    {"domain \"a..b\" { recipients = \"people\" deliver = \"discard:\" }",
     "domain \"a..b\": not a domain name"},
    {"domain \"\" { recipients = \"people\" deliver = \"discard:\" }", "domain \"\": not a domain name"},
    {"domain \"ISP.example\" { recipients = \"people\" deliver = \"discard:\" }",
     "domain \"isp.example\" is given twice, first in (text):1"},
    {"domain \"isp.example\" { recipients = \"people\" deliver = \"discard:\" }",
     "domain \"isp.example\" is given twice, first in (text):1"},
    {"domain \"x\" { recipients = \"people\" }", "deliver is missing in this domain"},
    {"domain \"x\" { deliver = \"discard:\" }", "recipients is missing in this domain"},
    {"domain \"x\" { alias_of = \"y\" }", "alias_of: there is no such domain: y"},
    {"domain \"x\" { alias_of = \"x\" }", "alias_of: must be a domain with recipients of its own, not x"},
    {"domain \"x\" { alias_of = \"y\" } domain \"y\" { alias_of = \"isp.example\" }",
     "alias_of: must be a domain with recipients of its own, not y"},
    {"domain \"x\" { alias_of = \"isp.example\" deliver = \"discard:\" }",
     "alias_of: this domain has recipients and deliver of isp.example"},
    {"domain \"x\" { recipients = \"\" deliver = \"discard:\" }", "recipients: needs a file"},
    {"domain \"x\" { recipients = \"callout:\" deliver = \"discard:\" }",
     "recipients: callout: asks the next hops of deliver, and there are none"},
    {"domain \"x\" { recipients = \"people\" deliver = \"\" }",
     "deliver: must be maildir:PATH, next hops or discard:, not "},
    {"domain \"x\" { recipients = \"people\" deliver = \"maildir:\" }",
     "deliver: must be maildir:PATH, next hops or discard:, not maildir:"},
    {"domain \"x\" { recipients = \"people\" deliver = \"discard\" }",
     "deliver: must be maildir:PATH, next hops or discard:, not discard"},
    {"domain \"x\" { recipients = \"people\" deliver = \"lmtp://store.isp.example:24\" }",
     "deliver: needs resolvers, which say where store.isp.example is"},
    {"domain \"x\" { recipients = \"people\" deliver = \"lmtp:unix:\" }",
     "deliver = \"lmtp:unix:\": needs the path of a socket behind lmtp:unix:"},
    {"domain \"x\" { recipients = \"people\" deliver = \"lmtp://127.0.0.1\" }",
     "deliver = \"lmtp://127.0.0.1\": needs a host and its port, such as lmtp://192.0.2.1:24"},
    {"domain \"x\" { recipients = \"people\" deliver = \"lmtp://192.0.2.1:24 weight=101\" }",
     "deliver = \"lmtp://192.0.2.1:24 weight=101\": weight= must be from 0 to 100"},
    {"next_hops { naming = xyz }", "naming = \"xyz\": must be none, xclient or xforward"},
    {"next_hops { connections_max = 0 }", "connections_max = \"0\": must be from 1 to 10000"},
    {"connections_max = 5 next_hops { retry = 1 }", "unknown key \"retry\" in section next_hops"},
    {"failures_max = 1", "unknown key \"failures_max\"; it stands in section next_hops"},
    {"next_hops = 1", "next_hops is a section; write next_hops { connections_max = 20 }"},
    {"domain \"x\" { recipients = \"people\" deliver = \"maildir:a/%d\" }",
     "deliver: needs %u (local part) in maildir:a/%d"},
    {"domain \"x\" { recipients = \"people\" deliver = \"maildir:%u/../a\" }",
     "deliver: needs %u (local part) in maildir:%u/../a"},
    {"domain \"x\" { recipients = \"people\" deliver = \"maildir:%u%\" }",
     "deliver: there are %d (domain), %u (local part) and %% (percent sign) in maildir:%u%"},
    {"domain \"x\" { recipients = \"people\" deliver = \"maildir:%u%x\" }",
     "deliver: there are %d (domain), %u (local part) and %% (percent sign) in maildir:%u%x"},
    {"domain \"x\" { recipients = \"people\" deliver = \"discard:\" extension = \"++\" }",
     "extension: must be one special character such as +, not ++"},
    {"domain \"x\" { recipients = \"people\" deliver = \"discard:\" extension = \"a\" }",
     "extension: must be one special character such as +, not a"},
    {"domain \"x\" { recipients = \"people\" deliver = \"discard:\" quarantine_folder = \".Junk\" }",
     "quarantine_folder: must be the name of a folder such as Junk, not .Junk"},
    {"domain \"x\" { recipients = \"people\" deliver = \"discard:\" quarantine_folder = \"Junk..Old\" }",
     "quarantine_folder: must be the name of a folder such as Junk, not Junk..Old"},
    {"domain \"x\" { recipients = \"people\" deliver = \"discard:\" quarantine_folder = \"a/b\" }",
     "quarantine_folder: must be the name of a folder such as Junk, not a/b"},
};

Test(snapshot, bad_domains_are_told)
{
        for (size_t i = 0; i < sizeof domains / sizeof *domains; i++) {
                char text[512], complaints[512];
                snprintf(text, sizeof text, "%s%s%s\n", HOSTNAME, DOMAIN, domains[i].domain);
                snprintf(complaints, sizeof complaints, "(text):2: error: %s\n", domains[i].complaints);
                check_complaints(text, complaints);
        }
}

Test(snapshot, domains_with_next_hops)
{
        struct snapshot *snapshot =
            load(HOSTNAME DOMAIN "domain \"b.example\" { recipients = \"people\"\n"
                                 "deliver = \"lmtp://192.0.2.1:24 weight=3 lmtp:unix:/run/lmtp\" }\n");
        const struct deliver_target *deliver = &snapshot_find_domain(snapshot, SPAN("b.example"))->deliver;

        cr_assert_eq(deliver->kind, DELIVER_HOPS);
        cr_assert_eq(deliver->hops->count, 2);
        cr_expect_eq(deliver->hops->hops[0].weight, 3);
        cr_expect_str_eq(deliver->hops->hops[1].name, "/run/lmtp");
        snapshot_free(snapshot);
}

Test(snapshot, domains_are_found)
{
        struct snapshot *snapshot =
            load(HOSTNAME DOMAIN "domain \"BÜCHER.example\" { recipients = \"people\"\n"
                                 "deliver = \"maildir:/a//b/../c/./%d-%%/%u/\" }\n");
        char path[256];

        snprintf(path, sizeof path, "%s/mail/%%d/%%u", folder);
        const struct domain *isp = snapshot_find_domain(snapshot, SPAN("iSp.example"));
        cr_assert_eq(isp, &snapshot->domains[0]);
        cr_expect_eq(isp->deliver.kind, DELIVER_MAILDIR);
        cr_expect_str_eq(isp->deliver.path, path);
        cr_expect_eq(isp->place.line, 1);
        const struct domain *books = snapshot_find_domain(snapshot, SPAN("xn--bcher-kva.example"));
        cr_assert_eq(books, &snapshot->domains[1]);
        cr_expect_str_eq(books->deliver.path, "/a/c/%d-%%/%u");
        cr_expect_null(snapshot_find_domain(snapshot, SPAN("x.isp.example")));
        cr_expect_null(snapshot_find_domain(snapshot, SPAN("")));
        snapshot_free(snapshot);
}

Test(snapshot, own_names_and_addresses)
{
        struct snapshot *snapshot =
            load(HOSTNAME "listen = {\"192.0.2.25:25\", \"0.0.0.0:26\", \"[::]:26\"}\n"
                          "helo_impersonation { names = {\"Other.example\"} }\n" DOMAIN);
        struct address address;

        cr_expect(span_equals(own_name(snapshot, "MX.isp.example"), SPAN("mx.isp.example")));
        cr_expect(span_equals(own_name(snapshot, "a.b.ISP.example"), SPAN("isp.example")));
        cr_expect(span_equals(own_name(snapshot, "x.other.example"), SPAN("other.example")));
        cr_expect_eq(own_name(snapshot, "xisp.example").length, 0);
        cr_expect_eq(own_name(snapshot, "example").length, 0);
        cr_expect_eq(own_name(snapshot, "").length, 0);
        cr_assert(address_parse(SPAN("192.0.2.25"), &address));
        cr_expect(network_list_contains(&snapshot->own_addresses, &address));
        cr_assert(address_parse(SPAN("127.0.0.1"), &address));
        cr_expect(network_list_contains(&snapshot->own_addresses, &address), "an interface of this machine");
        cr_assert(address_parse(SPAN("192.0.2.26"), &address));
        cr_expect_not(network_list_contains(&snapshot->own_addresses, &address));
        cr_assert(address_parse(SPAN("0.0.0.0"), &address));
        cr_expect_not(network_list_contains(&snapshot->own_addresses, &address));
        snapshot_free(snapshot);
}

Test(snapshot, postmaster_is_somebody)
{
        struct snapshot *snapshot = load(HOSTNAME DOMAIN);
        cr_expect_eq(snapshot->postmaster_domain, &snapshot->domains[0]);
        cr_expect(span_equals(snapshot->postmaster_local_part, SPAN("postmaster")));
        snapshot_free(snapshot);
        snapshot = load(HOSTNAME "postmaster = \"Bob@ISP.example\"\n" DOMAIN);
        cr_expect(span_equals(snapshot->postmaster_local_part, SPAN("bob")));
        snapshot_free(snapshot);
        snapshot = load(HOSTNAME "allow_no_domains = yes\n");
        cr_expect_null(snapshot->postmaster_domain);
        cr_expect_eq(snapshot->options.listen.count, 1, "the default");
        snapshot_free(snapshot);
}

/* As numbers and texts: pointers differ. */
static void expect_same_options(const struct snapshot *left, const struct snapshot *right)
{
        char options[2][8192];
        for (int i = 0; i < 2; i++) {
                const struct options *from = i == 0 ? &left->options : &right->options;
                struct text text;
                text_over(&text, options[i], sizeof options[i] - 1);
#define PUT_COUNT(value)      text_put_number(&text, value)
#define PUT_DURATION(value)   text_put_number(&text, value)
#define PUT_SIZE(value)       text_put_number(&text, value)
#define PUT_TEXT(value)       text_put_string(&text, value)
#define PUT_PATH(value)       text_put_string(&text, value)
#define PUT_NAMES(value)      text_put_number(&text, (value).count)
#define PUT_NETWORKS(value)   text_put_number(&text, (value).count)
#define PUT_ENDPOINTS(value)  text_put_number(&text, (value).count)
#define PUT_MOMENT(value)     text_put_number(&text, value)
#define PUT_NEWLINE(value)    text_put_number(&text, value)
#define PUT_DOOR(value)       text_put_number(&text, value)
#define PUT_FLAG(value)       text_put_number(&text, value)
#define PUT_MODE(value)       text_put_number(&text, value)
#define PUT_ACTION(value)     text_put_number(&text, value)
#define PUT_AUTO_COUNT(value) text_put_number(&text, value)
#define PUT_EXCHANGE(value)   text_put_number(&text, value)
#define PUT_LEAVING(value)    text_put_number(&text, value)
#define PUT_REPAIR(value)     text_put_number(&text, value)
#define PUT_SANDBOX(value)    text_put_number(&text, value)
#define PUT_STARTTLS(value)   text_put_number(&text, value)
#define PUT_KEYWORDS(value)   text_put_number(&text, value)
#define PUT_ADDRESSES(value)  text_put_number(&text, value)
#define PUT_RATE(value)       rate_write(&text, &(value))
#define PUT_SHARE(value)      share_write(&text, value)
#define OPTION(name, type, ...)                                                                              \
        text_put_string(&text, #name "=");                                                                   \
        PUT_##type(from->OPTION_NAME_##type(name));                                                          \
        text_put_string(&text, "\n");
#define CHECK_OPTION(check, name, type, ...) OPTION(check##_##name, type)
#include "conf/options.def"
                cr_assert_not(text.overflowed);
                options[i][text.length] = '\0';
        }
        cr_expect_str_eq(options[0], options[1]);
}

Test(snapshot, printed_defaults_load_as_defaults)
{
        char *text = NULL;
        size_t length;
        FILE *file = open_memstream(&text, &length);
        options_print(file);
        fputs(DOMAIN, file);
        fclose(file);
        struct snapshot *printed = load(text), *defaults = load(DOMAIN);

        expect_same_options(printed, defaults);
        for (size_t check = 0; check < CHECK_COUNT; check++)
                cr_expect_eq(printed->checks[check].mode, defaults->checks[check].mode);
        cr_assert_eq(printed->zone_count, 1);
        cr_expect(span_equals(printed->zones[0].name, defaults->zones[0].name));
        for (int i = 0; i < 256; i++) {
                const struct zone_options *left = &printed->zones[0].options,
                                          *right = &defaults->zones[0].options;
                const uint8_t address[4] = {127, 0, 0, (uint8_t)i};
                cr_expect_eq(filter_list_matches(&left->answers, address),
                             filter_list_matches(&right->answers, address));
                cr_expect_eq(filter_list_matches(&left->dynamic, address),
                             filter_list_matches(&right->dynamic, address));
        }
        for (size_t reply = 0; reply < REPLY_COUNT; reply++) {
                cr_expect_eq(printed->replies[reply].code, defaults->replies[reply].code);
                cr_expect(span_equals(printed->replies[reply].status, defaults->replies[reply].status));
                cr_expect(span_equals(printed->replies[reply].text, defaults->replies[reply].text));
        }
        snapshot_free(printed);
        snapshot_free(defaults);
        free(text);
}
