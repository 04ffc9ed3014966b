/* The Received-SPF field (RFC 7208 9.1), and that nobody can write into it what he likes. */
#include "tests/unit/core/check/spf/fixture.h"
#include "core/check/spf/received.h"

static const struct {
        const char *client, *helo, *sender, *policy, *expected;
} fields[] = {
    {"192.0.2.1", "out.example", "u@d.example", "v=spf1 ip4:192.0.2.0/24 -all",
     "Received-SPF: pass\r\n\t(mx.receiver.example: domain of\r\n\tu@d.example\r\n\t designates 192.0.2.1 as "
     "permitted sender)\r\n\treceiver=mx.receiver.example;\r\n\tclient-ip=192.0.2.1;\r\n\t"
     "envelope-from=\"u@d.example\";\r\n\thelo=out.example;\r\n\tidentity=mailfrom;\r\n\t"
     "mechanism=\"ip4:192.0.2.0/24\";\r\n"},
    {"2001:db8::1", "d.example", "", "v=spf1 ~all",
     "Received-SPF: softfail\r\n\t(mx.receiver.example: domain of\r\n\tpostmaster@d.example\r\n\t does "
     "probably not "
     "designate 2001:db8::1 as permitted sender)\r\n\treceiver=mx.receiver.example;\r\n\t"
     "client-ip=\"2001:db8::1\";\r\n\tenvelope-from=\"postmaster@d.example\";\r\n\thelo=d.example;\r\n\t"
     "identity=helo;\r\n\tmechanism=~all;\r\n"},
    {"192.0.2.1", "a\r\nEvil: b) \"c\\", "x)\r\n\" (\\@d.example", "v=spf1 mx:x",
     "Received-SPF: permerror\r\n\t(mx.receiver.example: domain of\r\n\tx???\"???@d.example\r\n\t has an "
     "SPF "
     "record in error, asked about "
     "192.0.2.1)\r\n\treceiver=mx.receiver.example;\r\n\tclient-ip=192.0.2.1;\r\n\t"
     "envelope-from=\"x)??\\\" (\\\\@d.example\";\r\n\thelo=\"a??Evil: b) "
     "\\\"c\\\\\";\r\n\tidentity=mailfrom;\r\n\t"
     "problem=\"ill-formed term: mx:x\";\r\n"},
};

Test(spf_received, fields)
{
        for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
                struct spf_request request =
                    spf_request_for(fields[i].client, fields[i].helo, fields[i].sender);
                char octets[SPF_RECEIVED_MAX], more[256];
                struct spf_detail detail;
                struct arena arena;
                struct text text;

                text_over(&text, octets, sizeof octets);
                snprintf(more, sizeof more, "d.example TXT %s\n", fields[i].policy);
                enum spf_result result = spf_run("", more, &request, ZONE_AT_ONCE, &arena, &detail);
                spf_write_received(&text, &request, result, &detail);
                cr_expect(span_equals(text_span(&text), span_from(fields[i].expected)), "%.*s",
                          (int)text.length, text.at);
                arena_end(&arena);
        }
        block_pool_end(&spf_pool);
}

/* The longest values fit, in lines that RFC 5322 2.1.1 allows. */
Test(spf_received, bounds)
{
        char octets[SPF_RECEIVED_MAX];
        static char long_value[1000];
        struct text text;

        memset(long_value, '"', sizeof long_value);
        struct span value = span_of(long_value, sizeof long_value);
        struct spf_request request = {.helo = value,
                                      .sender_local = value,
                                      .sender_domain = value,
                                      .receiver = value,
                                      .client.octets = {[0] = 0xff, [15] = 0xff}};
        struct spf_detail detail = {.mechanism = value, .problem = value};
        for (enum spf_result result = SPF_NONE; result < SPF_WAIT; result++) {
                text_over(&text, octets, sizeof octets);
                spf_write_received(&text, &request, result, &detail);
                cr_expect(!text.overflowed);
                for (struct span rest = text_span(&text); rest.length > 0;) {
                        size_t end = span_find(rest, '\n');
                        cr_assert(end != SIZE_MAX && end > 0 && rest.at[end - 1] == '\r' && end <= 999);
                        rest = span_skip(rest, end + 1);
                        cr_expect(rest.length == 0 || rest.at[0] == '\t');
                }
        }
}

Test(spf_received, lookups_of_the_report)
{
        struct spf_request request = spf_request_for("192.0.2.1", "h.example", "u@D.example");
        struct spf_detail detail;
        struct arena arena;

        spf_run("d.example A 192.0.2.2\n", "d.example TXT v=spf1 a a:x.example -all exp=e.example\n",
                &request, ZONE_AT_ONCE, &arena, &detail);
        static const char *const expected[] = {"TXT d.example", "A d.example", "A x.example",
                                               "TXT e.example"};
        const struct spf_lookup *lookup = detail.lookups;
        for (size_t i = 0; i < 4; i++, lookup = lookup->next) {
                char line[64];
                cr_assert(lookup != NULL);
                snprintf(line, sizeof line, "%s %.*s", dns_type_name(lookup->question.type),
                         (int)lookup->question.name.length, lookup->question.name.at);
                cr_expect_str_eq(line, expected[i]);
                cr_expect((lookup->answer->fact == FACT_FOUND) == (i < 2));
        }
        cr_expect_null(lookup);
        arena_end(&arena);
        block_pool_end(&spf_pool);
}
