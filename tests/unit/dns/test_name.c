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

Test(dns_name, normal_form)
{
        static const struct {
                struct span name, normal; /* empty: none */
        } cases[] = {
            {SPAN("Mail.EXAMPLE.com."), SPAN("mail.example.com")},
            {SPAN("_x-1.a"), SPAN("_x-1.a")},
            {SPAN("a"), SPAN("a")},
            {SPAN("123456789012345678901234567890123456789012345678901234567890123.Z"),
             SPAN("123456789012345678901234567890123456789012345678901234567890123.z")},
            {SPAN("z.123456789012345678901234567890123456789012345678901234567890123"),
             SPAN("z.123456789012345678901234567890123456789012345678901234567890123")},
            {SPAN("1234567890123456789012345678901234567890123456789012345678901234.z"), SPAN("")},
            {SPAN("z.1234567890123456789012345678901234567890123456789012345678901234"), SPAN("")},
            {SPAN(""), SPAN("")},
            {SPAN("."), SPAN("")},
            {SPAN(".a"), SPAN("")},
            {SPAN("a..b"), SPAN("")},
            {SPAN("a.."), SPAN("")},
            {SPAN("long.enough.name\\.example"), SPAN("")},
            {SPAN("long.enough.name\x7f.example"), SPAN("")},
            {SPAN("long.enough.name\x1f.example"), SPAN("")},
            {SPAN("a\0b"), SPAN("")},
            {SPAN("b\xc3\xbc"
                  "cher.example"),
             SPAN("")},
        };
        char octets[DNS_NAME_MAX];
        struct text text;

        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                text_over(&text, octets, sizeof octets);
                bool is_normal = dns_name_normalise(cases[i].name, &text);
                cr_expect_eq(is_normal, cases[i].normal.length > 0, "case %zu", i);
                cr_expect(span_equals(text_span(&text), cases[i].normal), "case %zu", i);
        }
}
