/* Mails of the log as lines of a report, and who gets it. */
#include "workers/cli/dmarc_report/entry.h"

#include "workers/cli/dmarc_report/destination.h"
#include "workers/cli/dmarc_report/xml.h"

#include <criterion/criterion.h>

#define GOOD                                                                                                 \
        "'id':'0Y3Q20000001','from':'joe@X.example','accepted':1,'spf':'pass','dkim':[{'domain':'d.example'" \
        ","                                                                                                  \
        "'selector':'s','result':'pass'},{'domain':'e.example','selector':'t','result':'fail','reason':'a<"  \
        "b'}],"                                                                                              \
        "'dmarc':'fail','header_from':'d.example','dmarc_record':'D.example','dmarc_policy':'reject',"       \
        "'dmarc_disposition':'reject','dmarc_applied':'none','code':'250 2.0.0'"
#define TEXT                                                                                                 \
        ",'dmarc_text':'v=DMARC1; p=reject; sp=none; adkim=s; fo=1:d; ruf=mailto:f@d.example; "              \
        "rua=mailto:r@d.example!5m'"

static struct entry entry;

/* ' stands for ". */
static enum entry_result read_mail(const char *client, const char *mail)
{
        char octets[4096];

        snprintf(octets, sizeof octets,
                 "{'time':'2026-05-20T10:00:00.000Z','client':'%s','transactions':[{%s}]}", client, mail);
        for (char *at = octets; *at != '\0'; at++)
                *at = *at == '\'' ? '"' : *at;
        json_t *line = json_loads(octets, 0, NULL);
        cr_assert_not_null(line, "%s", octets);
        enum entry_result result =
            entry_read(line, json_array_get(json_object_get(line, "transactions"), 0), &entry);
        json_decref(line);
        return result;
}

static void expect_text(const struct text *text, const char *expected)
{
        cr_expect(span_equals(text_span(text), span_from(expected)), "%.*s, expected %s", (int)text->length,
                  text->at, expected);
}

Test(entry, a_mail_becomes_two_lines)
{
        cr_assert_eq(read_mail("2001:DB8::0:1", GOOD TEXT), ENTRY_TAKEN);
        expect_text(
            &entry.policy,
            "d.example\t!2026-05-20T10:00:00.000Z\treject\tnone\tnone\t1:d\ts\tr\tn\tmailto:r@d.example");
        expect_text(
            &entry.row,
            "d.example\t2001:db8::1\tnone\tfail\tfail\tlocal_policy\tthe policy is not enforced here\t"
            "d.example\tx.example\tpass\td.example\ts\tpass\t\te.example\tt\tfail\ta&lt;b");
}

Test(entry, what_is_no_mail_of_a_report_says_why)
{
        cr_expect_eq(read_mail("192.0.2.1", GOOD), ENTRY_UNTOLD);
        cr_expect_eq(read_mail("192.0.2.1", GOOD ",'dmarc_text':'v=DMARC1; p=reject'"), ENTRY_UNWANTED);
        cr_expect_eq(read_mail("192.0.2.1", GOOD ",'dmarc_text':'p=reject'"), ENTRY_DAMAGED);
        cr_expect_eq(read_mail("192.0.2.1", "'dmarc':'none','header_from':'d.example'"),
                     ENTRY_WITHOUT_POLICY);
        cr_expect_eq(read_mail("~a20260520~abcdefghijklmnopqrstuvwxyz", GOOD TEXT), ENTRY_HIDDEN);
        cr_expect_eq(read_mail("192.0.2", GOOD TEXT), ENTRY_DAMAGED);
        cr_expect_eq(read_mail("192.0.2.1", GOOD TEXT ",'accepted':0,'code':'451 4.4.3'"), ENTRY_UNFINISHED);
        cr_expect_eq(read_mail("192.0.2.1", GOOD TEXT ",'dmarc_record':'d.example/..'"), ENTRY_DAMAGED);
        cr_expect_eq(read_mail("192.0.2.1", GOOD TEXT ",'dmarc_applied':'much'"), ENTRY_DAMAGED);
        cr_expect_eq(read_mail("192.0.2.1", GOOD TEXT ",'header_from':7"), ENTRY_DAMAGED);
}

Test(entry, more_addresses_than_eight_are_left_out)
{
        char mail[4096] = GOOD ",'dmarc_text':'v=DMARC1; p=none; rua=";
        size_t uris = 1;

        for (int i = 0; i < 20; i++)
                strcat(mail, "mailto:r@d.example, ");
        strcat(mail, "'");
        cr_assert_eq(read_mail("192.0.2.1", mail), ENTRY_TAKEN);
        for (size_t i = 0; i < entry.policy.length; i++)
                uris += entry.policy.at[i] == ',';
        cr_expect_eq(uris, ENTRY_URIS_MAX);
}

static void expect_destination(const char *uri, const char *address)
{
        struct destination destination;

        if (address == NULL) {
                cr_expect(!destination_read(span_from(uri), &destination), "%s", uri);
                return;
        }
        cr_assert(destination_read(span_from(uri), &destination), "%s", uri);
        cr_expect_str_eq(destination.address, address);
        cr_expect(span_equals(destination_domain(&destination), span_from(strchr(address, '@') + 1)), "%s",
                  uri);
}

Test(destination, one_plain_address_is_one)
{
        expect_destination("mailto:r@d.example", "r@d.example");
        expect_destination("MailTo:a%2bB@D.Example.?subject=x@y", "a+B@d.example");
        static const char *const bad[] = {
            "mailto:",
            "mailto:r",
            "mailto:r@",
            "mailto:@d.example",
            "mailto:r@d",
            "mailto:r@[192.0.2.1]",
            "mailto:r@192.0.2.1",
            "mailto:r@-d.example",
            "mailto:.r@d.example",
            "mailto:r.@d.example",
            "mailto:a..b@d.example",
            "mailto:a%@d.example",
            "mailto:a%2@d.example",
            "mailto:a%0ab@d.example",
            "mailto:a%00b@d.example",
            "mailto:a%2Cb@d.example",
            "mailto:\"a\"@d.example",
            "mailto:a@b@d.example",
            "https://d.example/r@d.example",
            "mailto:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@d.example"};
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
                expect_destination(bad[i], NULL);
}

Test(destination, who_agrees_may_name_others_of_the_same_host)
{
        struct destination asked;
        struct destinations settled;

        cr_assert(destination_read(SPAN("mailto:r@d.example"), &asked));
        cr_assert(destination_replace(SPAN(""), &asked, &settled) && settled.count == 1);
        cr_expect_str_eq(settled.list[0].address, "r@d.example");
        cr_assert(destination_replace(
            SPAN("v=DMARC1; rua=mailto:a@d.example,mailto:b@D.example,mailto:a@d.example"), &asked,
            &settled));
        cr_assert_eq(settled.count, 2);
        cr_expect_str_eq(settled.list[1].address, "b@d.example");
        cr_expect(span_equals(destination_domain(&settled.list[1]), SPAN("d.example")));
        cr_expect(!destination_replace(SPAN("v=DMARC1; rua=mailto:a@d.example,mailto:b@e.example"), &asked,
                                       &settled));
}

static void expect_xml(struct span words, bool utf8, const char *expected)
{
        char octets[8192];
        struct text text;

        text_over(&text, octets, sizeof octets);
        xml_put(&text, words, utf8);
        expect_text(&text, expected);
}

Test(xml, words_are_no_markup)
{
        char octets[600], expected[600];

        expect_xml(SPAN("<a b=\"c\" d='e'>&amp;]]>"), false,
                   "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;amp;]]&gt;");
        expect_xml(SPAN("\0\t\r\n\x1b\x7f\xc3\xa4"), false, "????????");
        expect_xml(SPAN("\xc3\xa4\xff\xe2\x80\xae"), true, "\xc3\xa4??");
        /* Characters of two octets over the bounds of pieces. */
        for (size_t shift = 0; shift < 2; shift++) {
                for (size_t i = 0; i + 1 < sizeof octets - shift; i += 2)
                        memcpy(octets + shift + i, "\xc3\xa4", 2);
                octets[0] = shift == 1 ? 'x' : octets[0];
                size_t length = 500 + shift;
                memcpy(expected, octets, length);
                expected[length] = '\0';
                expect_xml(span_of(octets, length), true, expected);
        }
}
