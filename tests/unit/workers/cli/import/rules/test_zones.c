/* Names of DNS lists with filters and weights, networks and next hops, as Postfix writes them. */
#include "workers/cli/import/rules/restrictions/zones.h"

#include "workers/cli/import/rules/domains/routes.h"
#include "workers/cli/import/rules/networks.h"
#include "workers/cli/import/rules/translate.h"

#include <criterion/criterion.h>

Test(zones, words)
{
        static const struct {
                const char *text, *name, *filter;
                int64_t weight;
        } rows[] = {
            {"zen.spamhaus.org", "zen.spamhaus.org", "", 1},
            {"zen.spamhaus.org*3", "zen.spamhaus.org", "", 3},
            {"list.dnswl.org=127.0.[0..255].[1..3]*-2", "list.dnswl.org", "127.0.[0..255].[1..3]", -2},
            {"a.example=127.0.0.[2;4..8]", "a.example", "127.0.0.[2;4..8]", 1},
            {"a.example.=127.0.0.2*+5", "a.example", "127.0.0.2", 5},
            {"a.example*0", "a.example", "", 0},
        };
        struct zone_words words;

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                cr_assert(zone_words_read(span_from(rows[i].text), &words), "%s", rows[i].text);
                cr_expect(span_equals(words.name, span_from(rows[i].name)), "%s", rows[i].text);
                cr_expect(span_equals(words.filter, span_from(rows[i].filter)), "%s", rows[i].text);
                cr_expect_eq(words.weight, rows[i].weight, "%s", rows[i].text);
        }
}

Test(zones, nonsense)
{
        static const char *const rows[] = {"",
                                           "*1",
                                           "a.example*",
                                           "a.example*x",
                                           "a.example*-",
                                           "a.example*1000001",
                                           "a.example=",
                                           "a.example=127.0.0",
                                           "a.example=127.0.0.[2;",
                                           "=127.0.0.2",
                                           "local",
                                           "-bad-.example",
                                           "a..example"};
        struct zone_words words;

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
                cr_expect(!zone_words_read(span_from(rows[i]), &words), "%s", rows[i]);
}

Test(networks, of_postfix)
{
        static const struct {
                const char *text, *network;
                bool is_key;
        } rows[] = {
            {"127.0.0.0/8", "127.0.0.0/8", false},
            {"192.0.2.1", "192.0.2.1/32", false},
            {"[::1]/128", "::1/128", false},
            {"[2001:db8::]/32", "2001:db8::/32", false},
            {"[::ffff:127.0.0.0]/104", "127.0.0.0/8", false},
            {"192.0.2", "192.0.2.0/24", true},
            {"10", "10.0.0.0/8", true},
            {"2001:db8", "2001:db8::/32", true},
            {"192.0.2", NULL, false},
            {"192.0.2.1/24", NULL, false},
            {"[::1]/129", NULL, false},
            {"[::ffff:127.0.0.0]/64", NULL, false},
            {"example.com", NULL, true},
            {".2", NULL, true},
            {"1.2.3.4.5", NULL, true},
            {"", NULL, true},
        };
        char octets[64];
        struct network network;
        struct text text;

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                bool is_read = network_of_postfix(span_from(rows[i].text), rows[i].is_key, &network);
                cr_assert_eq(is_read, rows[i].network != NULL, "%s", rows[i].text);
                text_over(&text, octets, sizeof octets);
                if (is_read)
                        network_write(&text, &network);
                cr_expect(!is_read || span_equals(text_span(&text), span_from(rows[i].network)), "%s",
                          rows[i].text);
        }
}

Test(routes, of_transports)
{
        static const struct {
                const char *transport, *route;
        } rows[] = {
            {"lmtp:unix:private/dovecot-lmtp", "lmtp:unix:/var/spool/postfix/private/dovecot-lmtp"},
            {"lmtp:unix:/run/x", "lmtp:unix:/run/x"},
            {"lmtp:inet:127.0.0.1:2424", "lmtp://127.0.0.1:2424"},
            {"lmtp:[127.0.0.1]", "lmtp://127.0.0.1:24"},
            {"lmtp:localhost:24", "lmtp://127.0.0.1:24"},
            {"smtp:[mail.isp.example]:2525", "smtp://mail.isp.example:2525"},
            {"relay:[::1]:smtp", "smtp://[::1]:25"},
            {"smtp:[ipv6:2001:db8::1]", "smtp://[2001:db8::1]:25"},
            {"smtp:a.isp.example, b.isp.example", "smtp://a.isp.example:25 smtp://b.isp.example:25"},
            {"virtual", ""},
            {"dovecot:", ""},
            {"smtp:", ""},
            {"smtp:[short]", ""},
            {"smtp:[a.example]:0", ""},
            {"smtp:[a.example", ""},
            {"error:no mail", ""},
        };
        struct keep keep;
        struct import import;

        keep_init(&keep);
        import_init(&import, &keep, "main.cf", SPAN("mx.example"));
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                struct span route = route_of_transport(&import, span_from(rows[i].transport));
                cr_expect(span_equals(route, span_from(rows[i].route)), "%s: %.*s", rows[i].transport,
                          SPAN_ARG(route));
        }
        keep_end(&keep);
}
