/* Option values: types, units, bounds, lists. */
#include "tests/unit/conf/fixture.h"
#include "conf/value/rate.h"

TestSuite(values, .init = folder_begin, .fini = folder_end);

#define NUMBER_ERROR(setting, message)                                                                       \
        {                                                                                                    \
                setting, "(text):1: error: " message "\n"                                                    \
        }

static const struct {
        const char *text, *complaints;
} bad[] = {
    NUMBER_ERROR("workers = 121", "workers = \"121\": must be from 0 to 120"),
    NUMBER_ERROR("workers = -1", "workers = \"-1\": needs a number"),
    NUMBER_ERROR("workers = 1k", "workers = \"1k\": needs a number"),
    NUMBER_ERROR("acceptors = 33", "acceptors = \"33\": must be from 0 to 32"),
    NUMBER_ERROR("acceptors = all", "acceptors = \"all\": needs a number, or auto"),
    NUMBER_ERROR("workers = \"\"", "workers = \"\": needs a number"),
    NUMBER_ERROR("workers = 99999999999999999999", "workers = \"99999999999999999999\": needs a number"),
    NUMBER_ERROR("idle_timeout = 99ms", "idle_timeout = \"99ms\": must be from 100ms to 1h"),
    NUMBER_ERROR("session_timeout = 2d", "session_timeout = \"2d\": must be from 1s to 1d"),
    NUMBER_ERROR("message_size_max = 1000", "message_size_max = \"1000\": must be from 1k to 4G"),
    NUMBER_ERROR("message_size_max = 18446744073709551616",
                 "message_size_max = \"18446744073709551616\": needs a size, such as 100, 64k, 50M or 1G"),
    NUMBER_ERROR("message_size_max = 17179869184G",
                 "message_size_max = \"17179869184G\": needs a size, such as 100, 64k, 50M or 1G"),
    NUMBER_ERROR("message_size_max = 5T",
                 "message_size_max = \"5T\": needs a size, such as 100, 64k, 50M or 1G"),
    NUMBER_ERROR("idle_timeout = 300",
                 "idle_timeout = \"300\": needs a duration with unit, such as 250ms, 10s, 5m, 2h or 1d"),
    NUMBER_ERROR("idle_timeout = 1.5m",
                 "idle_timeout = \"1.5m\": needs a duration with unit, such as 250ms, 10s, 5m, 2h or 1d"),
    NUMBER_ERROR(
        "idle_timeout = 213503982335d",
        "idle_timeout = \"213503982335d\": needs a duration with unit, such as 250ms, 10s, 5m, 2h or 1d"),
    NUMBER_ERROR("reject_at = data", "reject_at = \"data\": must be rcpt or first"),
    NUMBER_ERROR("maildir_newline = LF", "maildir_newline = \"LF\": must be crlf or lf"),
    NUMBER_ERROR("trusted_networks = {\"192.0.2.1/24\"}",
                 "trusted_networks = \"192.0.2.1/24\": needs networks such as 192.0.2.0/24 or 2001:db8::/32, "
                 "host bits zero"),
    NUMBER_ERROR("helo_impersonation { names = {\"a..b\"} }", "names = \"a..b\": needs domain names"),
    NUMBER_ERROR("policy_url = \"a b\"", "policy_url: must be ASCII without blanks, of at most 200 octets"),
    NUMBER_ERROR("log = \"\"", "log: must be stderr or a file"),
    NUMBER_ERROR("postmaster = \"x\"", "postmaster: needs an address"),
    NUMBER_ERROR("postmaster = \"bob@other.example\"", "postmaster: is not in one of the domains"),
    NUMBER_ERROR("postmaster = \"eve@isp.example\"", "postmaster: is not a known recipient of its domain"),
    NUMBER_ERROR("log = \"a\\x07\"", "log: control character, or not UTF-8"),
    NUMBER_ERROR("log = \"a\\xff\"", "log: control character, or not UTF-8"),
    NUMBER_ERROR(
        "helo_name { mode = on }",
        "mode = \"on\": must be enforce, observe (count and log only) or off; did you mean enforce?"),
    NUMBER_ERROR(
        "helo_name { mode = warn }",
        "mode = \"warn\": must be enforce, observe (count and log only) or off; did you mean observe?"),
    NUMBER_ERROR("helo_name { mode = x }",
                 "mode = \"x\": must be enforce, observe (count and log only) or off"),
    NUMBER_ERROR("helo_name { on_failure = refuse }", "on_failure = \"refuse\": must be pass or defer"),
    NUMBER_ERROR("sender_tld { on_failure = refuse }", "on_failure = \"refuse\": must be pass or defer"),
    NUMBER_ERROR("sender_tld { helo_mode = warn }", "helo_mode = \"warn\": must be off, observe or enforce"),
    NUMBER_ERROR("sender_mx { on_failure = refuse }", "on_failure = \"refuse\": must be pass or defer"),
    NUMBER_ERROR("spf { permerror = reject }", "permerror = \"reject\": must be pass, defer or refuse"),
    NUMBER_ERROR("sender_mx { require = a }", "require = \"a\": must be mx or mx-or-address"),
    NUMBER_ERROR("client_rate { messages = 100 }",
                 "messages = \"100\": needs a number in a duration, such as 100/1m or 20/10s, or off"),
    NUMBER_ERROR("client_rate { messages = 100/1 }",
                 "messages = \"100/1\": needs a number in a duration, such as 100/1m or 20/10s, or off"),
    NUMBER_ERROR("client_rate { messages = x/1m }",
                 "messages = \"x/1m\": needs a number in a duration, such as 100/1m or 20/10s, or off"),
    NUMBER_ERROR("client_rate { messages = 0/1m }",
                 "messages = \"0/1m\": must be from 1 to 1000000 in 1s to 7d"),
    NUMBER_ERROR("client_rate { messages = 1000001/1m }",
                 "messages = \"1000001/1m\": must be from 1 to 1000000 in 1s to 7d"),
    NUMBER_ERROR("client_rate { messages = 1/999ms }",
                 "messages = \"1/999ms\": must be from 1 to 1000000 in 1s to 7d"),
    NUMBER_ERROR("client_rate { messages = 1/8d }",
                 "messages = \"1/8d\": must be from 1 to 1000000 in 1s to 7d"),
    NUMBER_ERROR("dnsbl { threshold = 0 }", "threshold = \"0\": must be from 1 to 1000000"),
    NUMBER_ERROR("dynamic_client { exceptions = {\"a_b.example\"} }",
                 "exceptions = \"a_b.example\": needs domain names"),
};

Test(values, bad_ones_are_told)
{
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
                char text[1024];
                snprintf(text, sizeof text, "%s %s\n%s", bad[i].text, HOSTNAME, DOMAIN);
                check_complaints(text, bad[i].complaints);
        }
}

static const char *const bad_endpoints[] = {"127.0.0.1",       "127.0.0.1:0",
                                            "127.0.0.1:65536", "127.0.0.1:25x",
                                            "localhost:25",    "::1:25",
                                            "[::1]",           "[127.0.0.1]:25",
                                            "[::1:25",         ":25",
                                            "127.0.0.256:25",  "[::1%lo]:25",
                                            "127.0.0.1:+25",   "",
                                            "[]:25",           "127.0.0.1: 25",
                                            "127.0.0.1:25:25", "*:25"};

Test(values, bad_endpoints_are_told)
{
        for (size_t i = 0; i < sizeof bad_endpoints / sizeof *bad_endpoints; i++) {
                char text[512], complaints[512];
                snprintf(text, sizeof text, "%slisten = {\"%s\"}\n%s", HOSTNAME, bad_endpoints[i], DOMAIN);
                snprintf(
                    complaints, sizeof complaints,
                    "(text):1: error: listen = \"%s\": needs addresses with port, such as 192.0.2.1:25 or "
                    "[2001:db8::1]:25\n"
                    "(text):1: error: listen: no address to listen on\n",
                    bad_endpoints[i]);
                check_complaints(text, complaints);
        }
}

Test(values, endpoints_are_unique)
{
        check_complaints(HOSTNAME "listen = {\"127.0.0.1:25\", \"[::ffff:127.0.0.1]:25\"}\n" DOMAIN,
                         "(text):1: error: listen = \"[::ffff:127.0.0.1]:25\": names an address twice\n");
        check_complaints(HOSTNAME "proxy_networks = {\"192.0.2.0/24\"} "
                                  "listen = {\"127.0.0.1:25\"} proxy_listen = {\"127.0.0.1:25\"}\n" DOMAIN,
                         "(text):1: error: proxy_listen: names an address that listen names too\n");
        check_complaints(HOSTNAME "listen = {}\n" DOMAIN,
                         "(text):1: error: listen: no address to listen on\n");
        check_complaints(HOSTNAME "resolvers = {\"127.0.0.1:53\", \"127.0.0.1:53\"}\n" DOMAIN,
                         "(text):1: error: resolvers = \"127.0.0.1:53\": names an address twice\n");
}

Test(values, good_ones_are_set)
{
        struct snapshot *snapshot =
            load("workers = 3 idle_timeout = 250ms data_timeout = '1h' session_timeout = 1d\n"
                 "greeting_pause = 0 shutdown_timeout = 10s stress_timeout = 5m\n"
                 "message_size_max = 4G data_rate_min = 64k text_line_max = 0\n"
                 "reject_at = first maildir_newline = lf log = \"a/../log\"\n"
                 "listen = {\"[::1]:65535\", \"0.0.0.0:1\"}\n"
                 "trusted_networks = {\"192.0.2.0/24\", \"2001:db8::/32\", \"192.0.2.1\"}\n"
                 "helo_impersonation { names = {\"Bücher.example\", \"b.example\"} }\n" HOSTNAME DOMAIN);
        const struct options *options = &snapshot->options;
        char log[256];

        snprintf(log, sizeof log, "%s/log", folder);
        cr_expect_eq(options->workers, 3);
        cr_expect_eq(options->acceptors, OPTION_AUTO, "the default");
        cr_expect_eq(options->idle_timeout_ms, 250);
        cr_expect_eq(options->data_timeout_ms, 3600000);
        cr_expect_eq(options->session_timeout_ms, 86400000);
        cr_expect_eq(options->greeting_pause_ms, 0);
        cr_expect_eq(options->message_size_max_octets, 4294967296);
        cr_expect_eq(options->data_rate_min_octets, 65536);
        cr_expect_eq(options->reject_at, REJECT_AT_FIRST);
        cr_expect_eq(options->maildir_newline, NEWLINE_LF);
        cr_expect_str_eq(options->log, log);
        cr_assert_eq(options->listen.count, 2, "replaced, not appended to the default");
        cr_expect_eq(options->listen.endpoints[0].port, 65535);
        cr_expect_eq(options->trusted_networks.count, 3);
        cr_expect_eq(options->trusted_networks.networks[2].prefix, 128);
        cr_assert_eq(options->helo_impersonation_names.count, 2);
        cr_expect_str_eq(options->helo_impersonation_names.texts[0], "xn--bcher-kva.example");
        snapshot_free(snapshot);
}

Test(values, a_number_in_place_of_auto)
{
        static const struct {
                const char *text;
                uint64_t acceptors;
        } cases[] = {{"acceptors = 2\n", 2}, {"acceptors = 0\n", 0}, {"acceptors = auto\n", OPTION_AUTO}};

        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char text[512];
                snprintf(text, sizeof text, "%s%s", cases[i].text, HOSTNAME DOMAIN);
                struct snapshot *snapshot = load(text);
                cr_expect_eq(snapshot->options.acceptors, cases[i].acceptors, "%s", cases[i].text);
                snapshot_free(snapshot);
        }
}

Test(values, lists_are_appended_to_only_by_plus)
{
        struct snapshot *snapshot = load(HOSTNAME "listen = {\"127.0.0.1:1\"} listen += {\"127.0.0.1:2\"}\n"
                                                  "trusted_networks += \"192.0.2.1\"\n" DOMAIN);
        cr_expect_eq(snapshot->options.listen.count, 2);
        cr_expect_eq(snapshot->options.trusted_networks.count, 1);
        snapshot_free(snapshot);
}

Test(values, actions_and_exchanges)
{
        struct snapshot *snapshot =
            load(HOSTNAME "spf { permerror = refuse temperror = pass } helo_name { on_failure = defer }\n"
                          "sender_mx { require = mx-or-address on_failure = pass }\n" DOMAIN);
        cr_expect_eq(snapshot->options.spf_permerror, ACTION_REFUSE);
        cr_expect_eq(snapshot->options.spf_temperror, ACTION_PASS);
        cr_expect_eq(snapshot->options.helo_name_on_failure, ACTION_DEFER);
        cr_expect_eq(snapshot->options.sender_mx_on_failure, ACTION_PASS);
        cr_expect_eq(snapshot->options.sender_mx_require, REQUIRE_MX_OR_ADDRESS);
        cr_expect_eq(snapshot->options.sender_tld_helo_mode, CHECK_MODE_OBSERVE);
        snapshot_free(snapshot);
        snapshot = load(HOSTNAME "sender_tld { helo_mode = enforce }\n" DOMAIN);
        cr_expect_eq(snapshot->options.sender_tld_helo_mode, CHECK_MODE_ENFORCE);
        cr_expect_eq(snapshot->checks[CHECK_sender_tld].mode, CHECK_MODE_ENFORCE);
        snapshot_free(snapshot);
}

static void expect_rate(const struct rate *rate, uint64_t events, uint64_t window_ms, const char *written)
{
        char octets[64];
        struct text text;

        cr_expect_eq(rate->events, events);
        cr_expect_eq(rate->window_ms, window_ms);
        text_over(&text, octets, sizeof octets);
        rate_write(&text, rate);
        cr_expect(span_equals(text_span(&text), span_from(written)), "%.*s", (int)text.length, text.at);
}

Test(values, rates)
{
        struct snapshot *snapshot =
            load(HOSTNAME "client_rate { connections = 100/1m messages = \"7/90s\" recipients = off\n"
                          "unknown_recipients = 1/7d errors = 1000000/1s }\n" DOMAIN);
        const struct options *options = &snapshot->options;

        expect_rate(&options->client_rate_connections, 100, 60000, "100/1m");
        expect_rate(&options->client_rate_messages, 7, 90000, "7/90s");
        expect_rate(&options->client_rate_recipients, 0, 0, "off");
        expect_rate(&options->client_rate_unknown_recipients, 1, 604800000, "1/7d");
        expect_rate(&options->client_rate_errors, 1000000, 1000, "1000000/1s");
        snapshot_free(snapshot);
}

Test(values, empty_lists_replace_defaults_in_sections_too)
{
        struct snapshot *snapshot =
            load(HOSTNAME "dynamic_client { keywords = {} exceptions = {\"a.example\"} }\n" DOMAIN);
        cr_expect_eq(snapshot->options.dynamic_client_keywords.count, 0);
        cr_expect_eq(snapshot->options.dynamic_client_exceptions.count, 1);
        snapshot_free(snapshot);
        snapshot = load(HOSTNAME DOMAIN);
        cr_expect_gt(snapshot->options.dynamic_client_keywords.count, 10);
        snapshot_free(snapshot);
}
