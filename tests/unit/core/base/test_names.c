/* Domain names, local parts, addresses and networks. */
#include "core/base/address.h"
#include "core/base/domain_name.h"
#include "core/base/local_part.h"

#include <criterion/criterion.h>

#define L63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

Test(names, domain_syntax)
{
        const struct {
                struct span name;
                bool is_valid, is_qualified;
        } cases[] = {
            {SPAN("example.com"), true, true},
            {SPAN("localhost"), true, false},
            {SPAN("a.1"), true, false},
            {SPAN("1.a"), true, true},
            {SPAN("x-y.example"), true, true},
            {SPAN(L63 ".example"), true, true},
            {SPAN(L63 "a.example"), false, false},
            {SPAN(L63 "." L63 "." L63 "." L63), true, true},
            {SPAN(L63 "." L63 "." L63 "." L63 ".a"), false, false},
            {SPAN(""), false, false},
            {SPAN("."), false, false},
            {SPAN("example.com."), false, false},
            {SPAN(".example.com"), false, false},
            {SPAN("a..b"), false, false},
            {SPAN("-a.example"), false, false},
            {SPAN("a-.example"), false, false},
            {SPAN("a_b.example"), false, false},
            {SPAN("a b.example"), false, false},
            {SPAN("b\xc3\xbc.example"), false, false},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                cr_expect_eq(domain_name_is_valid(cases[i].name, false), cases[i].is_valid, "%zu", i);
                if (cases[i].is_valid)
                        cr_expect_eq(domain_name_is_qualified(cases[i].name), cases[i].is_qualified, "%zu",
                                     i);
        }
        cr_expect(domain_name_is_valid(SPAN("b\xc3\xbc.example"), true));
        cr_expect(!domain_name_is_valid(SPAN("b\xc3.example"), true));
}

Test(names, octets_of_labels)
{
        char name[] = "a?a.example";

        for (int i = 0; i < 256; i++) {
                name[1] = (char)i;
                bool is_good = ascii_is_alnum((char)i) || i == '-' || i == '.';
                cr_expect_eq(domain_name_is_valid(span_of(name, sizeof name - 1), false), is_good, "%d", i);
        }
}

Test(names, machines_in_helo)
{
        static const char octet[] = "it has an octet that no host name has",
                          empty[] = "it has an empty label",
                          hyphen[] = "a label begins or ends with a hyphen",
                          is_long[] = "it has a label of more than 63 octets";
        const struct {
                struct span name;
                const char *fault;
        } cases[] = {
            {SPAN("example.com"), NULL},
            {SPAN("localhost"), NULL},
            {SPAN("a_b.example"), NULL},
            {SPAN("_.example"), NULL},
            {SPAN(L63 ".example"), NULL},
            {SPAN(L63 "a.example"), is_long},
            {SPAN(""), empty},
            {SPAN("."), empty},
            {SPAN("a..b"), empty},
            {SPAN("a.b."), empty},
            {SPAN("-a.example"), hyphen},
            {SPAN("a.example-"), hyphen},
            {SPAN("a b.example"), octet},
            {SPAN("\xc3\xbc.example"), octet},
            {SPAN("a\0b.example"), octet},
            {SPAN("[192.0.2.1]"), octet},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                const char *fault = domain_name_host_fault(cases[i].name);
                cr_expect(fault == cases[i].fault ||
                              (fault != NULL && cases[i].fault != NULL && strcmp(fault, cases[i].fault) == 0),
                          "%zu: %s", i, fault);
        }
        cr_expect(span_equals(domain_name_without_dot(SPAN("a.b.")), SPAN("a.b")));
        cr_expect(span_equals(domain_name_without_dot(SPAN("a.b..")), SPAN("a.b.")));
        cr_expect(span_equals(domain_name_without_dot(SPAN(".")), SPAN(".")));
        cr_expect(span_equals(domain_name_without_dot(SPAN("")), SPAN("")));
}

Test(names, below_and_top)
{
        cr_expect(domain_name_is_within(SPAN("a.ISP.example"), SPAN("isp.example")));
        cr_expect(domain_name_is_within(SPAN("isp.example"), SPAN("isp.example")));
        cr_expect(!domain_name_is_within(SPAN("notisp.example"), SPAN("isp.example")));
        cr_expect(!domain_name_is_within(SPAN("example"), SPAN("isp.example")));
        cr_expect(span_equals(domain_name_tld(SPAN("a.b.c")), SPAN("c")));
        cr_expect(span_equals(domain_name_tld(SPAN("a")), SPAN("a")));
}

Test(names, a_labels)
{
        char octets[300];
        struct text text;

        text_over(&text, octets, sizeof octets);
        cr_expect(domain_name_to_ascii(SPAN("B\xc3\xbc"
                                            "cher.Example"),
                                       &text));
        cr_expect(span_equals(text_span(&text), SPAN("xn--bcher-kva.example")), "%.*s", (int)text.length,
                  text.at);
        text.length = 0;
        cr_expect(domain_name_to_ascii(SPAN("MX.Example"), &text));
        cr_expect(span_equals(text_span(&text), SPAN("mx.example")));
        cr_expect(!domain_name_to_ascii(SPAN("\xe2\x80\x8d.example"), &text));
}

Test(names, local_parts)
{
        const struct {
                struct span written;
                bool is_valid;
                struct span meant;
        } cases[] = {
            {SPAN("alice"), true, SPAN("alice")},
            {SPAN("a.b+c"), true, SPAN("a.b+c")},
            {SPAN("\"a b\""), true, SPAN("a b")},
            {SPAN("\"a\\\"b\""), true, SPAN("a\"b")},
            {SPAN("\"\""), true, SPAN("")},
            {SPAN(""), false, SPAN("")},
            {SPAN(".a"), false, SPAN("")},
            {SPAN("a."), false, SPAN("")},
            {SPAN("a..b"), false, SPAN("")},
            {SPAN("a b"), false, SPAN("")},
            {SPAN("a@b"), false, SPAN("")},
            {SPAN("\"a"), false, SPAN("")},
            {SPAN("\"a\"b"), false, SPAN("")},
            {SPAN(L63 "a"), true, SPAN(L63 "a")},
            {SPAN(L63 "ab"), true, SPAN(L63 "ab")},
            {SPAN(L63 L63 L63 L63), true, SPAN(L63 L63 L63 L63)},
            {SPAN(L63 L63 L63 L63 "a"), false, SPAN("")},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char octets[LOCAL_PART_MAX];
                struct text meant;
                text_over(&meant, octets, sizeof octets);
                cr_expect_eq(local_part_parse(cases[i].written, false, &meant), cases[i].is_valid, "%zu", i);
                if (cases[i].is_valid)
                        cr_expect(span_equals(text_span(&meant), cases[i].meant), "%zu", i);
        }
}

/* What is wrong for other reasons stays wrong. */
Test(names, loose_local_parts)
{
        const struct span right[] = {SPAN("alice"), SPAN("a..b"),      SPAN(".a"),
                                     SPAN("a."),    SPAN("..a...b.."), SPAN("\"a b\"")};
        const struct span wrong[] = {SPAN(""),    SPAN("."),        SPAN(".."),    SPAN("a b"),
                                     SPAN("a@b"), SPAN("\"a\"..b"), SPAN("a..\""), SPAN("\"a\"b")};
        char octets[LOCAL_PART_MAX];
        struct text meant;

        for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
                text_over(&meant, octets, sizeof octets);
                cr_expect(local_part_parse_loose(right[i], false, &meant), "%zu", i);
                cr_expect(span_equals(text_span(&meant), right[i]) || right[i].at[0] == '"', "%zu", i);
        }
        text_over(&meant, octets, sizeof octets);
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
                cr_expect(!local_part_parse_loose(wrong[i], false, &meant), "%zu", i);
        cr_expect_eq(meant.length, 0);
}

Test(names, addresses)
{
        struct address address, mapped;
        char octets[ADDRESS_TEXT_MAX + 5];
        struct text text;

        cr_expect(address_parse(SPAN("192.0.2.1"), &address) && address_is_ipv4(&address));
        cr_expect(address_parse(SPAN("::ffff:192.0.2.1"), &mapped) && address_equals(&address, &mapped));
        cr_expect(address_parse_literal(SPAN("[192.0.2.1]"), &mapped) && address_equals(&address, &mapped));
        cr_expect(!address_parse(SPAN("192.0.2.256"), &address));
        cr_expect(!address_parse(SPAN("mail.example.com"), &address));
        cr_expect(!address_parse(SPAN("abc.example"), &address));
        cr_expect(address_parse(SPAN("FE80::1"), &mapped) && address_parse(SPAN("abcd::"), &mapped));
        cr_expect(!address_parse(SPAN("192.0.2"), &address));
        cr_expect(!address_parse_literal(SPAN("[2001:db8::1]"), &address));
        cr_expect(!address_parse_literal(SPAN("[IPv6:192.0.2.1]"), &address));
        cr_expect(address_parse_literal(SPAN("[ipv6:2001:DB8::1]"), &address));
        cr_expect(address_parse_loosely(SPAN("[2001:db8::1]"), &mapped) && address_equals(&address, &mapped));
        cr_expect(address_parse_loosely(SPAN("[IPv6:2001:db8::1]"), &mapped) &&
                  address_equals(&address, &mapped));
        cr_expect(address_parse_loosely(SPAN("2001:db8::1"), &mapped) && address_equals(&address, &mapped));
        cr_expect(address_parse_loosely(SPAN("[192.0.2.1]"), &mapped) && address_is_ipv4(&mapped));
        cr_expect(!address_parse_loosely(SPAN("[IPv6:192.0.2.1]"), &mapped));
        cr_expect(!address_parse_loosely(SPAN("[]"), &mapped) && !address_parse_loosely(SPAN("["), &mapped) &&
                  !address_parse_loosely(SPAN(""), &mapped) && !address_parse_loosely(SPAN("[::1"), &mapped));
        text_over(&text, octets, sizeof octets);
        address_write_literal(&text, &address);
        cr_expect(span_equals(text_span(&text), SPAN("IPv6:2001:db8::1")));
        cr_expect(address_parse(SPAN("127.9.9.9"), &address) && address_is_loopback(&address));
        cr_expect(address_parse(SPAN("::1"), &address) && address_is_loopback(&address));
}

Test(names, networks_of_addresses)
{
        static const struct {
                const char *address;
                unsigned prefix;
                const char *network;
        } cases[] = {
            {"192.0.2.255", 120, "192.0.2.0"},
            {"192.0.2.255", 128, "192.0.2.255"},
            {"192.0.2.255", 123, "192.0.2.224"},
            {"192.0.2.255", 96, "0.0.0.0"},
            {"2001:db8:ffff:ffff:ffff::1", 64, "2001:db8:ffff:ffff::"},
            {"2001:db8:ffff:ffff::", 51, "2001:db8:ffff:e000::"},
            {"ffff::", 0, "::"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct address address, expected;
                cr_assert(address_parse(span_from(cases[i].address), &address));
                cr_assert(address_parse(span_from(cases[i].network), &expected));
                struct network network = network_of(&address, cases[i].prefix);
                cr_expect(address_equals(&network.address, &expected), "%zu", i);
                cr_expect_eq(network.prefix, cases[i].prefix);
        }
}

Test(names, networks)
{
        const struct {
                struct span network, inside, outside;
        } cases[] = {
            {SPAN("192.0.2.0/25"), SPAN("192.0.2.127"), SPAN("192.0.2.128")},
            {SPAN("192.0.2.1"), SPAN("192.0.2.1"), SPAN("192.0.2.2")},
            {SPAN("0.0.0.0/0"), SPAN("203.0.113.9"), SPAN("2001:db8::1")},
            {SPAN("::/0"), SPAN("2001:db8::1"), SPAN("192.0.2.1")},
            {SPAN("2001:db8::/33"), SPAN("2001:db8:7fff::1"), SPAN("2001:db8:8000::1")},
        };
        const struct span bad[] = {SPAN("192.0.2.1/24"),
                                   SPAN("192.0.2.0/33"),
                                   SPAN("192.0.2.0/"),
                                   SPAN("2001:db8::/129"),
                                   SPAN("x"),
                                   SPAN("")};
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct network network;
                struct address inside, outside;
                cr_assert(network_parse(cases[i].network, &network), "%zu", i);
                cr_assert(address_parse(cases[i].inside, &inside) &&
                          address_parse(cases[i].outside, &outside));
                cr_expect(network_contains(&network, &inside), "%zu", i);
                cr_expect(!network_contains(&network, &outside), "%zu", i);
        }
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                struct network network;
                cr_expect(!network_parse(bad[i], &network), "%zu", i);
        }
}
