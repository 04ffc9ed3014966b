/* The page says what the configuration says: whatever an option changes is seen, and nobody's markup gets in. */
#include "core/policy/page.h"

#include "conf/value/value.h"
#include "core/policy/facts.h"
#include "tests/unit/conf/fixture.h"
#include "tests/unit/core/policy/fixture.h"

TestSuite(policy_page, .init = folder_begin, .fini = folder_end);

/* Everything is in force, and all that a fact may need is set. */
#define ALL                                                                                                  \
        HOSTNAME DOMAIN                                                                                      \
            "resolvers = {\"127.0.0.1:53\"} sender_store = \"lmdb:senders\"\n"                               \
            "greeting_pause = 1s connections_per_client = 7 connections_per_network = 70 text_line_max = "   \
            "2000\n"                                                                                         \
            "client_rate { mode = enforce } helo_name { must_resolve = yes } dynamic_client { mode = "       \
            "enforce }\n"                                                                                    \
            "bounce_reference { mode = enforce keys = \"keys\" } greylist { mode = enforce if_score = 1 }\n" \
            "dnsbl { zone \"zen.spamhaus.org\" { dynamic = {\"127.0.0.10\"} } zone \"names.example\" { "     \
            "names = yes } }\n"

static char *page_of(const struct snapshot *snapshot, enum language language)
{
        static const char *const links[LANGUAGE_COUNT] = {"en.html", "de.html"};
        char *text = NULL;
        size_t length;
        FILE *file = open_memstream(&text, &length);

        cr_assert_not_null(file);
        policy_page_write(file, snapshot, language, links);
        cr_assert_eq(fclose(file), 0);
        cr_expect(span_is_utf8(span_of(text, length)));
        return text;
}

static char *page_of_text(const char *text)
{
        struct snapshot *snapshot = load(text);
        char *page = page_of(snapshot, LANGUAGE_ENGLISH);

        snapshot_free(snapshot);
        return page;
}

static struct snapshot *load_all(void)
{
        write_file("keys", "1:0123456789abcdef0123456789abcdef\n", 35);
        return load(ALL);
}

/* Whom a rule holds for may be said behind an address: the page tells that there are such, and not who they are. */
Test(policy_page, single_recipients)
{
        write_file("people", "alice helo_name=enforce\nbob\n", 28);
        char *page = page_of_text(HOSTNAME DOMAIN "helo_name { mode = off }");
        cr_expect(strstr(page, "id=\"helo_name\"") != NULL, "it is in force for one of them");
        cr_expect(strstr(page, " Single recipients have it otherwise.") != NULL);
        cr_expect(strstr(page, "alice") == NULL);
        free(page);
        write_file("people", "alice\n", 6);
        page = page_of_text(HOSTNAME DOMAIN);
        cr_expect(strstr(page, "Single recipients") == NULL);
        free(page);
}

/* ---- it cannot drift ----------------------------------------------------------------------------------- */

static bool is_quiet(size_t option)
{
        for (const size_t *quiet = facts_quiet; *quiet != OPTION_AT_END; quiet++)
                if (*quiet == option)
                        return true;
        return false;
}

static const struct fact *fact_about(size_t option)
{
        for (const struct fact *fact = facts; fact->label.in[0] != NULL; fact++)
                if (fact->option == option)
                        return fact;
        return NULL;
}

static bool is_of_page(const struct option_row *row)
{
        return row->check < CHECK_COUNT || fact_about((size_t)(row - option_rows)) != NULL;
}

Test(policy_page, each_option_of_a_check_is_either_told_or_quiet)
{
        for (size_t option = 0; option < OPTION_AT_END; option++)
                if (option_rows[option].check < CHECK_COUNT)
                        cr_expect_neq(fact_about(option) != NULL, is_quiet(option), "%s.%s",
                                      check_infos[option_rows[option].check].name, option_rows[option].name);
}

/* Another value of this type than the one that is there. */
static void change(const struct option_row *row, void *field)
{
        static const char *names[] = {"changed.example"};

        switch ((int)row->type) {
        case VALUE_FLAG:
                *(bool *)field = !*(bool *)field;
                break;
        case VALUE_RATE:
                *(struct rate *)field = (struct rate){77, 7000};
                break;
        case VALUE_NAMES:
                *(struct text_list *)field = (struct text_list){names, 1};
                break;
        case VALUE_TEXT:
                *(const char **)field = names[0];
                break;
        case VALUE_COUNT:
        case VALUE_DURATION:
        case VALUE_SIZE:
                *(uint64_t *)field += 1;
                break;
        default:
                *(unsigned *)field = *(unsigned *)field == 0;
        }
}

static void expect_change(struct snapshot *snapshot, size_t option, enum language language)
{
        const struct option_row *row = &option_rows[option];
        char *field = (char *)&snapshot->options + row->offset, saved[sizeof(struct text_list)];
        char *before = page_of(snapshot, language);

        memcpy(saved, field, sizeof saved);
        change(row, field);
        char *after = page_of(snapshot, language);
        memcpy(field, saved, sizeof saved);
        cr_expect(strcmp(before, after) != 0, "a change of %s changes nothing", row->name);
        free(before);
        free(after);
}

Test(policy_page, each_option_that_is_told_changes_the_page)
{
        struct snapshot *snapshot = load_all();

        for (size_t option = 0; option < OPTION_AT_END; option++) {
                const struct option_row *row = &option_rows[option];
                bool is_of_tls = row->check == SECTION_TLS; /* there is no certificate here */
                if (!is_of_page(row) || is_quiet(option) || is_of_tls)
                        continue;
                for (enum language language = 0; language < LANGUAGE_COUNT; language++)
                        expect_change(snapshot, option, language);
        }
        snapshot_free(snapshot);
}

Test(policy_page, each_value_of_a_choice_has_its_sentence)
{
        for (size_t option = 0; option < OPTION_AT_END; option++) {
                const struct option_row *row = &option_rows[option];
                if (row->check >= CHECK_COUNT || row->type != VALUE_ACTION)
                        continue;
                for (int64_t value = row->min; value <= row->max; value++) {
                        bool is_told = false;
                        for (const struct fact *fact = facts; fact->label.in[0] != NULL; fact++)
                                is_told |= fact->option == option && fact->value == (uint64_t)value;
                        cr_expect(is_told, "%s.%s = %d", check_infos[row->check].name, row->name, (int)value);
                }
        }
}

Test(policy_page, a_changed_reply_is_on_it)
{
        char *page =
            page_of_text(HOSTNAME DOMAIN "replies { recipient_unknown = \"553 5.1.1 <%r>? 100%% no\" }\n");

        expect_in(page, "553 5.1.1 &lt;<var>recipient</var>&gt;? 100% no");
        expect_in(page, "id=\"code-553-5.1.1\"");
        expect_not_in(page, "550 5.7.1 recipient &lt;");
        free(page);
}

/* ---- what is in force ---------------------------------------------------------------------------------- */

Test(policy_page, a_check_is_where_its_mode_puts_it)
{
        char *page = page_of_text(HOSTNAME DOMAIN "helo_name { mode = off } sender_tld { mode = observe }\n");

        expect_in(page, "<section class=\"rule\" id=\"helo_impersonation\">");
        expect_in(page, "<li id=\"helo_name\">");
        expect_in(page, "<li id=\"dnsbl\">"); /* without resolvers */
        expect_not_in(page, "reply-helo_not_qualified");
        const char *observed = strstr(page, "<section id=\"observed\">");
        cr_assert_not_null(observed);
        cr_expect(strstr(page, "id=\"sender_tld\"") > observed &&
                  strstr(page, "id=\"helo_impersonation\"") < observed);
        expect_not_in(page, "reply-sender_tld");
        free(page);
}

Test(policy_page, each_check_is_an_anchor_once_whatever_its_mode)
{
        static const char *const modes[] = {"enforce", "observe", "off"};
        char text[4096], anchor[64];

        for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
                size_t length = (size_t)snprintf(
                    text, sizeof text, "%s",
                    HOSTNAME DOMAIN "sender_store = \"lmdb:senders\" resolvers = {\"127.0.0.1:53\"}\n");
                for (enum check_id check = 0; check < CHECK_COUNT; check++)
                        if (check_infos[check].kind != CHECK_KIND_RULE)
                                length +=
                                    (size_t)snprintf(text + length, sizeof text - length,
                                                     "%s { mode = %s }\n", check_infos[check].name, modes[i]);
                char *page = page_of_text(text);
                for (enum check_id check = 0; check < CHECK_COUNT; check++) {
                        snprintf(anchor, sizeof anchor, " id=\"%s\"", check_infos[check].name);
                        const char *found = strstr(page, anchor);
                        cr_expect(found != NULL && strstr(found + 1, anchor) == NULL, "%s, %s", anchor,
                                  modes[i]);
                }
                free(page);
        }
}

#define SECOND                                                                                               \
        "domain \"quiet.example\" { recipients = \"people\" deliver = \"discard:\" helo_name { mode = "      \
        "observe } }\n"

Test(policy_page, domains_are_named_where_the_operator_lets_it)
{
        char *page = page_of_text(HOSTNAME DOMAIN SECOND);

        expect_in(page, "It is in force for the recipients of some of our domains. It only observes for");
        expect_not_in(page, "quiet.example");
        free(page);
        page = page_of_text(HOSTNAME DOMAIN SECOND "policy_page { name_domains = yes }\n");
        expect_in(page,
                  "It is in force for the recipients of isp.example. It only observes for the recipients of "
                  "quiet.example.");
        free(page);
}

Test(policy_page, replies_that_cannot_come_are_not_on_it)
{
        char *page = page_of_text(HOSTNAME DOMAIN "resolvers = {\"127.0.0.1:53\"}\n");

        expect_not_in(page, "reply-helo_unresolved");
        expect_not_in(page, "reply-tls_required\"");
        expect_not_in(page, "reply-proxy_bad");
        expect_in(page, "reply-sender_mx_unsure");
        free(page);
        page = page_of_text(HOSTNAME DOMAIN "resolvers = {\"127.0.0.1:53\"} sender_mx { on_failure = pass }\n"
                                            "helo_name { must_resolve = yes }\n");
        expect_in(page, "reply-helo_unresolved");
        expect_not_in(page, "reply-sender_mx_unsure");
        free(page);
}

/* ---- lists --------------------------------------------------------------------------------------------- */

#define ZONES(zones) HOSTNAME DOMAIN "resolvers = {\"127.0.0.1:53\"} dnsbl { " zones " }\n"

Test(policy_page, each_list_has_a_way_off_it)
{
        char *page =
            page_of_text(ZONES("zone \"bl.spamcop.net\" { weight = 3 } zone \"list.local.example\" { }"
                               "zone \"own.example\" { removal = \"https://own.example/?ip=%a&x=1\" }"
                               "zone \"list.dnswl.org\" { weight = -2 }"));

        expect_in(page, "<strong>bl.spamcop.net</strong>, run by SpamCop<br><a rel=\"noreferrer\" "
                        "href=\"https://www.spamcop.net/bl.shtml\">");
        expect_in(page, "raises the sum by 3.");
        expect_in(page, "dig +short TXT 7.2.0.192.list.local.example");
        expect_in(page, "href=\"https://own.example/?ip=&amp;x=1\"");
        expect_in(page, "lowers the sum by 2.");
        free(page);
}

Test(policy_page, the_key_of_a_list_is_secret)
{
        char *page = page_of_text(ZONES("zone \"0123456789abcdefsecret.zen.dq.spamhaus.net\" { }"
                                        "zone \"secretkey.combined.mail.abusix.zone\" { }"
                                        "zone \"secret.internal.example\" { shown_as = \"our own list\" }"));

        expect_not_in(page, "secret");
        expect_in(page, "<strong>zen.dq.spamhaus.net</strong>, run by Spamhaus");
        expect_in(page, "<strong>combined.mail.abusix.zone</strong>, run by Abusix");
        expect_in(page, "<strong>our own list</strong>");
        free(page);
}

Test(policy_page, each_option_of_a_zone_changes_it_but_for_the_watch)
{
        static const char *const options[] = {
            "answers = {\"127.0.0.9\"}",       "dynamic = {\"127.0.0.9\"}", "weight = 9", "names = yes",
            "removal = \"https://a.example\"", "shown_as = \"another\""};
        char text[512];
        char *plain = page_of_text(ZONES("zone \"list.example\" { }") "dynamic_client { mode = enforce }\n");

        for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
                snprintf(text, sizeof text,
                         "%s zone \"list.example\" { %s } } dynamic_client { mode = enforce }\n",
                         HOSTNAME DOMAIN "resolvers = {\"127.0.0.1:53\"} dnsbl {", options[i]);
                char *page = page_of_text(text);
                cr_expect(strcmp(page, plain) != 0, "%s", options[i]);
                free(page);
        }
        /* errors, self_test, and what files a list is read from (four options), are of no interest to a sender. */
        cr_expect_eq(ZONE_OPTION_AT_END, sizeof options / sizeof *options + 6);
        free(plain);
}

Test(policy_page, a_suspended_list_is_told)
{
        struct snapshot *snapshot = load(ZONES("zone \"list.example\" { }"));

        snapshot->zones[0].is_suspended = true;
        char *page = page_of(snapshot, LANGUAGE_ENGLISH);
        expect_in(page, "It is not counted at present");
        free(page);
        snapshot_free(snapshot);
}

/* ---- postmaster ---------------------------------------------------------------------------------------- */

Test(policy_page, what_it_says_of_postmaster_is_true)
{
        static const struct {
                const char *options, *told, *not_told;
        } cases[] = {
            {"", "postmaster at the domain that you wanted", "mailto:"},
            {"", "is exempt from the rules above", "not exempt"},
            {"reject_at = first", "exempt only from the rules that concern recipients",
             "is exempt from the rules above"},
            {"policy_page { postmaster = \"postmaster@isp.example\" }",
             "href=\"mailto:postmaster@isp.example\"", "The address above"},
            {"policy_page { postmaster = \"help@isp.example\" }", "The address above is not exempt",
             "not on this server"},
            {"policy_page { postmaster = \"help@other.example\" }", "The address above is not on this server",
             "above is not exempt"},
            {"policy_page { telephone = \"+49 (30) 12-34\" contact = \"https://isp.example/?a=1&b=2\" }",
             "href=\"tel:+493012"
             "34\">+49 (30) 12-34<",
             "mailto:"},
            {"policy_page { contact = \"https://isp.example/?a=1&b=2\" }",
             "href=\"https://isp.example/?a=1&amp;b=2\"", "tel:"},
            {"resolvers = {\"127.0.0.1:53\"} refuse_listed_at = accept", "turned away as soon as it connects",
             "is under load, a client on a blocklist"},
            {"resolvers = {\"127.0.0.1:53\"} refuse_listed_at = rcpt", "is exempt from the rules above",
             "as soon as it connects"},
        };
        char text[1024];

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                snprintf(text, sizeof text, "%s%s\n", HOSTNAME DOMAIN, cases[i].options);
                char *page = page_of_text(text);
                expect_in(page, cases[i].told);
                expect_not_in(page, cases[i].not_told);
                free(page);
        }
}

/* ---- markup -------------------------------------------------------------------------------------------- */

Test(policy_page, no_text_of_the_configuration_is_markup)
{
        char *page = page_of_text(ZONES(
            "zone \"list.example\" { shown_as = \"<b>\\\"'\" }") "policy_page { organisation = "
                                                                 "\"<script>alert(1)</script> & \xe2\x80\xae"
                                                                 "Söhne\" }\n"
                                                                 "policy_url = "
                                                                 "\"https://isp.example/\\\"><i>\"\n"
                                                                 "replies { relay_denied = \"554 5.7.1 "
                                                                 "<script>no</script> %r\" }\n");

        expect_not_in(page, "<script");
        expect_not_in(page, "<i>");
        expect_not_in(page, "<b>");
        expect_not_in(page, "\xe2\x80\xae");
        expect_in(page, "&lt;script&gt;alert(1)&lt;/script&gt; &amp; ?Söhne");
        expect_in(page, "&lt;b&gt;&quot;&#39;");
        free(page);
}

Test(policy_page, the_policy_names_the_style_and_nothing_else)
{
        char style_source[POLICY_STYLE_SOURCE_SIZE];
        char *page = page_of_text(HOSTNAME DOMAIN);

        policy_style_source_write(style_source);
        cr_expect(strncmp(style_source, "style-src 'sha256-", 18) == 0, "%s", style_source);
        expect_in(page, "default-src 'none'; style-src 'sha256-");
        expect_in(page, style_source);
        expect_not_in(page, " style=");
        expect_not_in(page, "<script");
        expect_not_in(page, " src=");
        free(page);
}
