/* Sections `listener` and `network`: for whom what holds. */
#include "tests/unit/conf/fixture.h"

TestSuite(terms, .init = folder_begin, .fini = folder_end);

#define TLS     "tls { certificate = {\"cert.pem\"} }\n"
#define LISTEN  "listen = {\"192.0.2.1:25\", \"[2001:db8::1]:25\"} proxy_listen = {\"192.0.2.1:26\"}\n"
#define KEYWORD (UINT32_C(1))

static struct terms_options terms_of(const struct snapshot *snapshot, const char *client, const char *server,
                                     uint16_t port)
{
        struct address from, to;
        cr_assert(address_parse(span_from(client), &from) && address_parse(span_from(server), &to));
        return snapshot_terms(snapshot, snapshot_listener_terms(snapshot, &to, port), &from);
}

Test(terms, what_stands_outside_holds_for_all)
{
        struct snapshot *snapshot =
            load(HOSTNAME TLS "starttls = off ehlo_without = {\"size\", \"LIMITS\"}" DOMAIN);
        struct terms_options terms = terms_of(snapshot, "203.0.113.1", "192.0.2.1", 25);

        cr_expect_eq(terms.starttls, STARTTLS_OFF);
        cr_expect_eq(terms.ehlo_without, KEYWORD << EHLO_SIZE | KEYWORD << EHLO_LIMITS);
        snapshot_free(snapshot);
        snapshot = load(HOSTNAME DOMAIN);
        terms = terms_of(snapshot, "203.0.113.1", "192.0.2.1", 25);
        cr_expect_eq(terms.starttls, STARTTLS_OFFER);
        cr_expect_eq(terms.ehlo_without, 0);
        snapshot_free(snapshot);
}

Test(terms, a_network_goes_before_a_listener_and_both_before_the_rest)
{
        struct snapshot *snapshot =
            load(HOSTNAME LISTEN TLS
                 "ehlo_without = {\"SIZE\"}\n"
                 "network \"203.0.113.0/24\" { ehlo_without = {\"SMTPUTF8\"} }\n"
                 "network \"203.0.113.64/26\" { starttls = off }\n"
                 "network \"203.0.0.0/16\" { starttls = offer ehlo_without = {} }\n"
                 "network \"2001:db8:f::/48\" { starttls = require }\n"
                 "listener \"192.0.2.1:25\" { starttls = require }\n"
                 "listener \"192.0.2.1:26\" { ehlo_without = {\"LIMITS\", \"XCLIENT\"} }\n" DOMAIN);
        struct terms_options terms = terms_of(snapshot, "203.0.113.65", "192.0.2.1", 25);

        cr_expect_eq(terms.starttls, STARTTLS_OFF);
        cr_expect_eq(terms.ehlo_without, KEYWORD << EHLO_SMTPUTF8, "each option by itself");
        terms = terms_of(snapshot, "203.0.113.1", "192.0.2.1", 25);
        cr_expect_eq(terms.starttls, STARTTLS_OFFER);
        cr_expect_eq(terms.ehlo_without, KEYWORD << EHLO_SMTPUTF8);
        terms = terms_of(snapshot, "203.0.1.1", "192.0.2.1", 26);
        cr_expect_eq(terms.ehlo_without, 0, "an empty list is set, too");
        terms = terms_of(snapshot, "198.51.100.1", "192.0.2.1", 25);
        cr_expect_eq(terms.starttls, STARTTLS_REQUIRE);
        cr_expect_eq(terms.ehlo_without, KEYWORD << EHLO_SIZE);
        terms = terms_of(snapshot, "198.51.100.1", "192.0.2.1", 26);
        cr_expect_eq(terms.starttls, STARTTLS_OFFER);
        cr_expect_eq(terms.ehlo_without, KEYWORD << EHLO_LIMITS | KEYWORD << EHLO_XCLIENT);
        terms = terms_of(snapshot, "2001:db8:f::1", "2001:db8::1", 25);
        cr_expect_eq(terms.starttls, STARTTLS_REQUIRE);
        snapshot_free(snapshot);
}

#define NEEDS_NETWORK "needs a network such as 192.0.2.0/24 or 2001:db8::/32, host bits zero"
#define NEEDS_ADDRESS "needs an address with port, such as 192.0.2.1:25 or [2001:db8::1]:25"
#define KEYWORDS                                                                                             \
        "EHLO has no such keyword here; there are 8BITMIME, SMTPUTF8, ENHANCEDSTATUSCODES, STARTTLS, "       \
        "XCLIENT, LIMITS, SIZE"

static const struct {
        const char *text, *complaint;
} bad[] = {
    {"network \"203.0.113.1/24\" { }", "network \"203.0.113.1/24\": " NEEDS_NETWORK},
    {"network \"lan\" { }", "network \"lan\": " NEEDS_NETWORK},
    {"network \"203.0.113.0/24\" { } network \"198.51.100.0/24\" { } network \"203.0.113.0/24\" { }",
     "network \"203.0.113.0/24\" is given twice, first in (text):1"},
    {"network \"2001:db8::1\" { } network \"2001:db8::1/128\" { }",
     "network \"2001:db8::1/128\" is given twice, first in (text):1"},
    {"network { }", "network is a section with a name; write network \"NAME\" { ... }"},
    {"network \"203.0.113.0/24\" { startls = off }",
     "unknown key \"startls\" in section network; did you mean \"starttls\"?"},
    {"network \"203.0.113.0/24\" { starttls = yes }", "starttls = \"yes\": must be offer, require or off"},
    {"network \"203.0.113.0/24\" { ehlo_without = {\"SIZE\", \"PIPELINING\"} }",
     "ehlo_without = \"PIPELINING\": " KEYWORDS},
    {"ehlo_without = {\"\"}", "ehlo_without = \"\": " KEYWORDS},
    {"listener \"192.0.2.1\" { }", "listener \"192.0.2.1\": " NEEDS_ADDRESS},
    {"listener \"192.0.2.1:27\" { }", "listener \"192.0.2.1:27\": is neither in listen nor in proxy_listen"},
    {"listener \"192.0.2.1:25\" { } listener \"192.0.2.1:25\" { }",
     "listener \"192.0.2.1:25\" is given twice, first in (text):1"},
    {"starttls = require", "starttls = require: needs certificates in section tls"},
    {"network \"203.0.113.0/24\" { starttls = require }",
     "starttls = require: needs certificates in section tls"},
    {"listener \"[2001:db8::1]:25\" { starttls = require }",
     "starttls = require: needs certificates in section tls"},
};

Test(terms, bad_ones_are_told)
{
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
                char text[1024], complaints[1024];
                snprintf(text, sizeof text,
                         "listen = {\"192.0.2.1:25\", \"[2001:db8::1]:25\"} " HOSTNAME "%s\n%s", bad[i].text,
                         DOMAIN);
                snprintf(complaints, sizeof complaints, "(text):1: error: %s\n", bad[i].complaint);
                check_complaints(text, complaints);
        }
}
