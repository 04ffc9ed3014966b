/* dns/name: who answers for a name, as far as it tells. */
#include "dns/name.h"

#include <criterion/criterion.h>

Test(dns_name, authority)
{
        static const char *const cases[][2] = {
            {"mail.example.com", "example.com"},
            {"example.com", "example.com"},
            {"com", "com"},
            {"66.2.0.192.zen.spamhaus.org", "spamhaus.org"},
            {"a.b.example.co.uk", "example.co.uk"},
            {"co.uk", "co.uk"},
            {"www.example.de", "example.de"},
            {"u1.abc.de", "abc.de"},
            {"abc.de", "abc.de"},
            {"a.b.c.de", "c.de"},
            {"x.www.x.kawasaki.jp", "www.x.kawasaki.jp"},
            {"a.b.pvt.k12.ma.us", "b.pvt.k12.ma.us"},
            {"www.ck", "www.ck"},
            {"a.some.where.ck", "some.where.ck"},
            /* of a company, whose servers answer for all of them */
            {"a.somebody.duckdns.org", "duckdns.org"},
            {"host.nosuchtld", "host.nosuchtld"},
            {"7.2.0.192.in-addr.arpa", "0.192.in-addr.arpa"},
            {"192.in-addr.arpa", "192.in-addr.arpa"},
            {"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
             "8.b.d.0.1.0.0.2.ip6.arpa"},
        };

        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct span found = dns_name_authority(span_from(cases[i][0]));
                cr_expect(span_equals(found, span_from(cases[i][1])), "%s: %.*s", cases[i][0],
                          (int)found.length, found.at);
        }
}

static bool normalises(struct span name, const char *wanted)
{
        char octets[DNS_NAME_MAX];
        struct text text;

        text_over(&text, octets, sizeof octets);
        return dns_name_normalise(name, &text) && span_equals(text_span(&text), span_from(wanted));
}

#define LABEL_63 "123456789012345678901234567890123456789012345678901234567890123"

Test(dns_name, normal_form)
{
        static const char *const none[] = {
            "",
            ".",
            ".a",
            "a..b",
            "a..",
            LABEL_63 "4.z",
            "z." LABEL_63 "4",
            "long.enough.name\\.example",
            "long.enough.name\x7f.example",
            "long.enough.name\x1f.example",
            "b\xc3\xbc"
            "cher.example",
        };

        cr_expect(normalises(SPAN("Mail.EXAMPLE.com."), "mail.example.com"));
        cr_expect(normalises(SPAN("_x-1.a"), "_x-1.a"));
        cr_expect(normalises(SPAN("a"), "a"));
        cr_expect(normalises(SPAN(LABEL_63 ".Z"), LABEL_63 ".z"));
        cr_expect(normalises(SPAN("z." LABEL_63), "z." LABEL_63));
        cr_expect(!normalises(SPAN("a\0b"), "a"));
        for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
                char octets[DNS_NAME_MAX];
                struct text text;
                text_over(&text, octets, sizeof octets);
                cr_expect(!dns_name_normalise(span_from(none[i]), &text) && text.length == 0, "%s", none[i]);
        }
}
