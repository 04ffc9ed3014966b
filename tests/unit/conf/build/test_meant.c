/* What can be read, but cannot be meant. */
#include "tests/unit/conf/fixture.h"

TestSuite(meant, .init = folder_begin, .fini = folder_end);

#define DNS "resolvers = {\"127.0.0.1:53\"} "

#define NEVER "all are errors (by `errors`, outside of 127.0.0.0/8 or in 127.255.255.0/24): they never count"

static const struct {
        const char *text, *warning;
} cases[] = {
    {"trusted_networks = {\"0.0.0.0/0\"}",
     "trusted_networks: 0.0.0.0/0 is a large part of the Internet: no check of policy would hold for them"},
    {"trusted_networks = {\"10.0.0.0/8\", \"2001:db8::/32\", \"::ffff:10.0.0.0/8\"}", NULL},
    {"trusted_networks = {\"::/0\"}",
     "trusted_networks: ::/0 is a large part of the Internet: no check of policy would hold for them"},
    {"proxy_networks = {\"2000::/3\"}",
     "proxy_networks: 2000::/3 is a large part of the Internet: they could pose as any other client"},
    {"client_rate { exempt = {\"128.0.0.0/1\"} }",
     "exempt: 128.0.0.0/1 is a large part of the Internet: no limit would hold for them"},
    {"spf { forwarders = {\"0.0.0.0/0\"} }",
     "forwarders: 0.0.0.0/0 is a large part of the Internet: SPF would not count for them"},
    {"idle_timeout = 299s",
     "idle_timeout: under 5m (RFC 5321 4.5.3.2.7): slow clients are cut off, and come again and again"},
    {"idle_timeout = 5m data_timeout = 3m recipients_max = 100", NULL},
    {"text_time_max = 599s",
     "text_time_max: under 10m: long messages of slow clients never come to their end"},
    {"text_time_max = 0s", NULL},
    {"data_timeout = 2m",
     "data_timeout: under 3m (RFC 5321 4.5.3.2.5): slow clients are cut off, and come again and again"},
    {"recipients_max = 99",
     "recipients_max: under 100 (RFC 5321 4.5.3.1.8): clients send their mail in pieces, and some give up"},
    {"hops_max = 99",
     "hops_max: under 100 (RFC 5321 6.3): mail that was forwarded often may be taken for a loop"},
    {"hops_max = 100", NULL},
    {"message_size_max = 50k", "message_size_max: under 64k (RFC 5321 4.5.3.1.7)"},
    {"text_line_max = 998", "text_line_max: under 1000 (RFC 5321 4.5.3.1.6)"},
    {"text_line_max = 0", NULL},
    {"commands_max = 109",
     "commands_max: under 110: a mail for 100 recipients (RFC 5321 4.5.3.1.8) does not come to its end"},
    {"errors_max = 1", "errors_max: under 2: the first recipient that is refused ends the session"},
    {"junk_max = 1", "junk_max: under 2: the first RSET or NOOP ends the session"},
    {"session_timeout = 59s",
     "session_timeout: under 1m: slow clients are cut off before their mail, and come again and again"},
    {"connections_max = 1", "connections_max: under 2: one client keeps out all others"},
    {"client_memory_max = 3M",
     "client_memory_max: under 4M: a few texts fill it, and other mail is deferred"},
    {"log_interval = 999ms", "log_interval: under 1s: the log would be all counters"},
    {"data_rate_min = 2M",
     "data_rate_min: over 64k: clients with slow lines are cut off, and come again and again"},
    {"commands_max = 110 errors_max = 2 junk_max = 2 session_timeout = 1m connections_max = 2", NULL},
    {"client_memory_max = 4M log_interval = 1s data_rate_min = 64k", NULL},
    {"client_memory_max = 0 log_interval = 0s data_rate_min = 0 connections_max = 0", NULL},
    {DNS "dnsbl { zone \"a.example\" { answers = {\"10.0.0.[1..9]\", \"127.255.255.[0..9]\"} } }",
     "zone \"a.example\": answers: " NEVER},
    {DNS "dnsbl { zone \"a.example\" { answers = {\"127.0.0.2\"} errors = {\"127.0.0.[1..9]\"} } }",
     "zone \"a.example\": answers: " NEVER},
    {DNS "dnsbl { zone \"a.example\" { dynamic = {\"126.0.0.2\"} } }", "zone \"a.example\": dynamic: " NEVER},
    {DNS "dnsbl { zone \"a.example\" { answers = {\"[126..127].0.0.2\", \"10.0.0.1\"} } }", NULL},
    {DNS "dnsbl { zone \"a.example\" { answers = {\"127.255.[254..255].2\"} errors = {\"127.255.1.2\"} } }",
     NULL},
    {"stress_timeout = 4s",
     "stress_timeout: under 5s: under load clients are cut off before they can have answered"},
    {"stress_at = 9", "stress_at: under 10: the ladder of load is climbed by ordinary traffic"},
    {"deliveries_max = 9", "deliveries_max: under 10: a few messages at a time count as load"},
    {"tls { handshake_timeout = 4s }",
     "handshake_timeout: under 5s: slow clients fail, and send their mail in plain text"},
    {"tls { handshakes_max = 9 }", "handshakes_max: under 10: a few slow clients keep all others from TLS"},
    {"text_time_rate = 65k",
     "text_time_rate: over 64k: clients with slow lines are cut off, and come again and again"},
    {"text_time_rate = 65k text_time_max = 0s", NULL},
    {"stress_timeout = 5s stress_at = 10 deliveries_max = 10 text_time_rate = 64k", NULL},
    {"deliveries_max = 0 tls { handshake_timeout = 5s handshakes_max = 10 }", NULL},
    {"greylist { exceptions = {\"128.0.0.0/2\"} }",
     "exceptions: 128.0.0.0/2 is a large part of the Internet: they would always pass"},
    {"client_rate { recipients = 99/1m }",
     "recipients: under 100 (RFC 5321 4.5.3.1.8): a mail for so many does not come to its end"},
    {"client_rate { recipients = 100/1m }", NULL},
    {"client_rate { recipients = off }", NULL},
    {"client_rate { mode = off recipients = 9/1m }", NULL},
    {"client_rate { penalty = 2h penalty_max = 1h }", "penalty: longer than penalty_max"},
    {"connections_per_client = 20 connections_per_network = 19",
     "connections_per_client: over connections_per_network: it is never reached"},
    {"connections_per_client = 20 connections_per_network = 20", NULL},
    {"connections_per_client = 20 connections_per_network = 0", NULL},
    {"proxy_listen = {\"127.0.0.1:26\"}",
     "proxy_listen: proxy_networks names nobody: whoever connects there is refused"},
    {"proxy_listen = {\"127.0.0.1:26\"} proxy_networks = {\"127.0.0.1\"}", NULL},
    {"dns_ttl_min = 1h dns_ttl_max = 30m", "dns_ttl_min: longer than dns_ttl_max"},
    {"dns_question_timeout = 20s dns_attempt_timeout = 15s", "dns_question_timeout: longer than dns_timeout"},
    {DNS "dnsbl { threshold = 2 }",
     "threshold: the weights of all zones of addresses sum up to 1: it is never reached"},
    {DNS "dnsbl { mode = off threshold = 2 }", NULL},
    {DNS "dnsbl { threshold = 4 zone \"a.example\" { weight = 3 } zone \"b.example\" { weight = -1 } }",
     "threshold: the weights of all zones of addresses sum up to 3: it is never reached"},
    {DNS "dnsbl { threshold = 4 zone \"a.example\" { weight = 3 } zone \"b.example\" { weight = 1 } }", NULL},
    {DNS "dnsbl { threshold = 1 zone \"a.example\" { weight = -1 } }",
     "threshold: the weights of all zones of addresses sum up to 0: it is never reached"},
    {DNS "dnsbl { mode = off zone \"a.example\" { weight = -1 } }", NULL},
    {DNS "dnsbl { threshold = 3 zone \"a.example\" { weight = 3 }\n"
         "zone \"b.example\" { names = yes weight = 2 answers = {\"127.0.1.2\"} } }",
     "threshold: the weights of all zones of names sum up to 2: it is never reached"},
    {DNS "sender_store = \"lmdb:x\" greylist { mode = observe if_score = 2 }",
     "if_score: the weights of all zones of addresses sum up to 1: it is never reached"},
    {"domain \"x.example\" { alias_of = \"isp.example\" extension = \"+\" }",
     "extension: without effect here: for an alias that of isp.example counts"},
    {"domain \"x.example\" { alias_of = \"isp.example\" delivered_to = no }",
     "delivered_to: without effect here: for an alias that of isp.example counts"},
    {"domain \"x.example\" { alias_of = \"isp.example\" mail_filters = no }", NULL},
    {"domain \"x.example\" { alias_of = \"isp.example\" dmarc_quarantine = refuse }", NULL},
};

Test(meant, warnings)
{
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                char text[1024], expected[1024] = "";
                snprintf(text, sizeof text, "%s%s\n%s", HOSTNAME, cases[i].text, DOMAIN);
                struct conf_complaints complaints = {0};
                struct snapshot *snapshot = snapshot_load_text(text, folder, &complaints);
                if (cases[i].warning != NULL)
                        snprintf(expected, sizeof expected, "(text):1: warning: %s\n", cases[i].warning);
                const char *said = complaints.text == NULL ? "" : complaints.text;
                cr_expect_str_eq(said, expected, "for %s: %s", text, said);
                cr_expect_not_null(snapshot);
                snapshot_free(snapshot);
                conf_complaints_end(&complaints);
        }
}
