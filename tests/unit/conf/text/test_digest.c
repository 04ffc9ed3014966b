/* What counts for the digest of a configuration, and what does not. */
#include "tests/unit/conf/fixture.h"

TestSuite(digest, .init = folder_begin, .fini = folder_end);

static void read_digest(const char *text, char ret_digest[static CONFIGURATION_DIGEST_SIZE])
{
        struct snapshot *snapshot = load(text);
        memcpy(ret_digest, snapshot->digest, CONFIGURATION_DIGEST_SIZE);
        snapshot_free(snapshot);
}

#define BASE HOSTNAME DOMAIN

static const struct {
        const char *text, *other;
        bool are_same;
} cases[] = {
    {BASE, BASE, true},
    {BASE, "# a comment\n" HOSTNAME "\n\n  " DOMAIN "  # another one\n", true},
    {BASE, "hostname = \"mx2.isp.example\" listen = {\"127.0.0.1:2526\"} " DOMAIN, true},
    {BASE "sender_password = \"one\"", BASE "sender_password = \"two\"", true},
    {BASE "http { listen = \"127.0.0.1:81\" }", BASE "http { listen = \"127.0.0.1:82\" }", true},
    {BASE "http { }", BASE, false},
    {BASE "include(\"included\")", BASE "greylist { delay = 5m }", true},
    {BASE "listen = {\"127.0.0.1:1\"} listener \"127.0.0.1:1\" { starttls = off }",
     BASE "listen = {\"127.0.0.1:2\"} listener \"127.0.0.1:2\" { starttls = off }", true},
    {BASE "listen = {\"127.0.0.1:1\"} listener \"127.0.0.1:1\" { starttls = off }", BASE, false},
    {BASE "network \"192.0.2.0/24\" { starttls = off }", BASE "network \"192.0.2.0/25\" { starttls = off }",
     false},
    {BASE "idle_timeout = 5m", BASE "idle_timeout = 6m", false},
    {BASE "idle_timeout = 5m", BASE "data_timeout = 5m", false},
    {BASE "trusted_networks = {}", BASE, false},
    {BASE "trusted_networks = {}", BASE "trusted_networks = {\"192.0.2.1\"}", false},
    {BASE "trusted_networks = {\"192.0.2.1\", \"192.0.2.2\"}",
     BASE "trusted_networks = {\"192.0.2.1\"} proxy_networks = {\"192.0.2.2\"}", false},
    /* The same words, in a section and behind it. */
    {BASE "greylist { } starttls = off", BASE "starttls = off greylist { }", false},
    {BASE "dnsbl { zone \"a.example\" { } threshold = 1 }",
     BASE "dnsbl { threshold = 1 zone \"a.example\" { } }", false},
    {BASE "state_timeout = 1s", BASE "sender_timeout = 1s", true},
};

Test(digest, counts_what_is_said)
{
        char one[CONFIGURATION_DIGEST_SIZE], other[CONFIGURATION_DIGEST_SIZE];

        write_file("included", "greylist {\n delay = 5m\n}\n", 25);
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                read_digest(cases[i].text, one);
                read_digest(cases[i].other, other);
                cr_expect_eq(strlen(one), CONFIGURATION_DIGEST_SIZE - 1);
                cr_expect_eq(strcmp(one, other) == 0, cases[i].are_same, "%s\n%s", cases[i].text,
                             cases[i].other);
        }
}
