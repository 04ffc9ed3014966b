/* Next hops as the configuration has them. */
#include "conf/value/next_hop.h"

#include <criterion/criterion.h>

#define PATH_OF_90                                                                                           \
        "/234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901"

static struct block_pool pool;
static struct arena memory;

static void begin(void)
{
        block_pool_init(&pool, 4096, 4);
        arena_init(&memory, &pool, 1 << 16);
}

static void end(void)
{
        arena_end(&memory);
        block_pool_end(&pool);
}

TestSuite(next_hop, .init = begin, .fini = end);

/* What it is read from, and what is written: the same where NULL; or the complaint. */
static const struct {
        const char *text, *written, *error;
} samples[] = {
    {"lmtp://192.0.2.1:24", NULL, NULL},
    {"smtp://[2001:db8::1]:25", NULL, NULL},
    {"SMTP://Store.ISP.example:2525", "smtp://store.isp.example:2525", NULL},
    {"lmtp://sp\xc3\xa4t.isp.example:24", "lmtp://xn--spt-rla.isp.example:24", NULL},
    {"lmtp:unix:/run/dovecot/lmtp", NULL, NULL},
    {"lmtp:unix:run/../lmtp", "lmtp:unix:/etc/gatepost/lmtp", NULL},
    {"lmtp:unix:" PATH_OF_90, NULL, NULL},
    {"  lmtp://192.0.2.1:24   weight=3 lmtp://192.0.2.2:24 weight=1 smtp://192.0.2.3:25 weight=0 ",
     "lmtp://192.0.2.1:24 weight=3 lmtp://192.0.2.2:24 smtp://192.0.2.3:25 weight=0", NULL},
    {"lmtp://192.0.2.1:24 lmtp://192.0.2.1:25 lmtp:unix:/a lmtp:unix:/b", NULL, NULL},
    {"lmtp://a.example:24 lmtp://a.example:25 lmtp://b.example:24 weight=100", NULL, NULL},
    {"", NULL, "needs a next hop"},
    {"   ", NULL, "needs a next hop"},
    {"maildir:x", NULL, "needs lmtp://HOST:PORT, smtp://HOST:PORT or lmtp:unix:PATH"},
    {"lmtp:192.0.2.1:24", NULL, "needs lmtp://HOST:PORT, smtp://HOST:PORT or lmtp:unix:PATH"},
    {"smtp:unix:/a", NULL, "needs lmtp://HOST:PORT, smtp://HOST:PORT or lmtp:unix:PATH"},
    {"lmtp://192.0.2.1:24, lmtp://192.0.2.2:24", NULL, "next hops have blanks between them, and no commas"},
    {"lmtp://192.0.2.1", NULL, "needs a host and its port, such as lmtp://192.0.2.1:24"},
    {"lmtp://192.0.2.1:0", NULL, "needs a host and its port, such as lmtp://192.0.2.1:24"},
    {"lmtp://192.0.2.1:65536", NULL, "needs a host and its port, such as lmtp://192.0.2.1:24"},
    {"lmtp://", NULL, "needs a host and its port, such as lmtp://192.0.2.1:24"},
    {"lmtp://:24", NULL, "needs an address or a whole domain name, such as lmtp://store.isp.example:24"},
    {"lmtp://2001:db8::1:24", NULL,
     "needs an address or a whole domain name, such as lmtp://store.isp.example:24"},
    {"lmtp://192.0.2.256:24", NULL,
     "needs an address or a whole domain name, such as lmtp://store.isp.example:24"},
    {"lmtp://localhost:24", NULL,
     "needs an address or a whole domain name, such as lmtp://store.isp.example:24"},
    {"lmtp://user@a.example:24", NULL,
     "needs an address or a whole domain name, such as lmtp://store.isp.example:24"},
    {"lmtp://a.example:24/path", NULL, "needs a host and its port, such as lmtp://192.0.2.1:24"},
    {"lmtp:unix:", NULL, "needs the path of a socket behind lmtp:unix:"},
    {"lmtp:unix:" PATH_OF_90 PATH_OF_90, NULL, "the path of a socket has at most 107 octets"},
    {"weight=1 lmtp://192.0.2.1:24", NULL, "weight= stands behind a next hop, once"},
    {"lmtp://192.0.2.1:24 weight=1 weight=2", NULL, "weight= stands behind a next hop, once"},
    {"lmtp://192.0.2.1:24 weight=101", NULL, "weight= must be from 0 to 100"},
    {"lmtp://192.0.2.1:24 weight=-1", NULL, "weight= must be from 0 to 100"},
    {"lmtp://192.0.2.1:24 weight=", NULL, "weight= must be from 0 to 100"},
    {"lmtp://a.example:24 TLS=Must weight=2 connections_max=10000 naming=xclient lmtp:unix:/a=b naming=none",
     "lmtp://a.example:24 weight=2 tls=must naming=xclient connections_max=10000 lmtp:unix:/a=b naming=none",
     NULL},
    {"smtp://192.0.2.1:25 tls=none smtp://192.0.2.2:25 tls=may naming=xforward", NULL, NULL},
    {"tls=must lmtp://192.0.2.1:24", NULL, "tls= stands behind a next hop, once"},
    {"lmtp://192.0.2.1:24 tls=must weight=2 tls=must", NULL, "tls= stands behind a next hop, once"},
    {"lmtp://192.0.2.1:24 tls=yes", NULL, "tls= must be none, may or must"},
    {"lmtp:unix:/a tls=may", NULL,
     "tls= is for addresses and names: no network sees what goes to a unix socket"},
    {"lmtp://192.0.2.1:24 naming=", NULL, "naming= must be none, xclient or xforward"},
    {"lmtp://192.0.2.1:24 connections_max=0", NULL, "connections_max= must be from 1 to 10000"},
    {"lmtp://192.0.2.1:24 connections_max=10001", NULL, "connections_max= must be from 1 to 10000"},
    {"lmtp://192.0.2.1:24 waiting=1", NULL,
     "waiting= is unknown: behind a next hop may stand weight=, tls=, naming= and connections_max="},
    {"lmtp://192.0.2.1:24 smtp://192.0.2.1:24", NULL, "names a next hop twice"},
    {"lmtp://192.0.2.1:24 tls=may lmtp://192.0.2.1:24 tls=must", NULL, "names a next hop twice"},
    {"lmtp://a.example:24 lmtp://A.example:24", NULL, "names a next hop twice"},
    {"lmtp:unix:/a/b lmtp:unix:/a/./b", NULL, "names a next hop twice"},
};

Test(next_hop, forms)
{
        for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
                char octets[1024], error_octets[256];
                struct next_hop_list list = {0};
                struct text written, error;

                text_over(&written, octets, sizeof octets);
                text_over(&error, error_octets, sizeof error_octets);
                bool is_good =
                    next_hops_set(span_from(samples[i].text), &list, &memory, "/etc/gatepost", &error);
                cr_expect_eq(is_good, samples[i].error == NULL, "%s", samples[i].text);
                next_hops_write(&written, &list);
                const char *expected = samples[i].error != NULL     ? samples[i].error
                                       : samples[i].written != NULL ? samples[i].written
                                                                    : samples[i].text;
                struct span got = is_good ? text_span(&written) : text_span(&error);
                cr_expect(span_equals(got, span_from(expected)), "%s: %.*s", samples[i].text, (int)got.length,
                          got.at);
                cr_expect(is_good || list.hops == NULL, "the field is as before");
        }
}

Test(next_hop, parts)
{
        struct next_hop_list list;
        char octets[64];
        struct text error;

        text_over(&error, octets, sizeof octets);
        cr_assert(next_hops_set(SPAN("smtp://a.example:587 weight=7 lmtp:unix:/s smtp://192.0.2.1:25"), &list,
                                &memory, "/", &error));
        cr_assert_eq(list.count, 3);
        cr_expect_eq(list.hops[0].protocol, HOP_SMTP);
        cr_expect_eq(list.hops[0].kind, NEXT_HOP_AT_NAME);
        cr_expect_str_eq(list.hops[0].name, "a.example");
        cr_expect_eq(list.hops[0].endpoint.port, 587);
        cr_expect_eq(list.hops[0].weight, 7);
        cr_expect_eq(list.hops[1].protocol, HOP_LMTP);
        cr_expect_eq(list.hops[1].kind, NEXT_HOP_AT_PATH);
        cr_expect_str_eq(list.hops[1].name, "/s");
        cr_expect_eq(list.hops[2].kind, NEXT_HOP_AT_ADDRESS);
        cr_expect_eq(list.hops[2].endpoint.port, 25);
        cr_expect(address_is_ipv4(&list.hops[2].endpoint.address));
}

Test(next_hop, at_most_so_many)
{
        char octets[1024], error_octets[64];
        struct next_hop_list list = {0};
        struct text text, error;

        text_over(&text, octets, sizeof octets);
        text_over(&error, error_octets, sizeof error_octets);
        for (unsigned i = 1; i <= NEXT_HOPS_MAX; i++)
                text_printf(&text, "lmtp://192.0.2.%u:24 ", i);
        cr_expect(next_hops_set(text_span(&text), &list, &memory, "/", &error));
        cr_expect_eq(list.count, NEXT_HOPS_MAX);
        text_put_string(&text, "lmtp://192.0.2.99:24");
        cr_expect(!next_hops_set(text_span(&text), &list, &memory, "/", &error));
}

Test(next_hop, are_meant)
{
        cr_expect(next_hops_are_meant(SPAN("LMTP://x")));
        cr_expect(next_hops_are_meant(SPAN("lmtp:unix:")));
        cr_expect(!next_hops_are_meant(SPAN("lmtp")));
        cr_expect(!next_hops_are_meant(SPAN("maildir:mail/%u")));
}
