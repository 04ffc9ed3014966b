/* Authentication-Results (RFC 8601): its form, its folding, and that nobody else writes in it. */
#include "core/auth/results.h"

#include <criterion/criterion.h>

static char octets[AUTH_RESULTS_MAX];

static void check(const struct auth_results *results, const char *expected)
{
        struct text text;

        text_over(&text, octets, sizeof octets);
        auth_results_write(&text, results);
        cr_assert(!text.overflowed);
        cr_assert(span_equals(text_span(&text), span_from(expected)), "%.*s", (int)text.length, text.at);
}

Test(auth_results, nothing)
{
        check(&(struct auth_results){.server = SPAN("mx.isp.example")},
              "Authentication-Results: mx.isp.example; none\r\n");
}

Test(auth_results, all)
{
        struct dkim dkim = {.count = 2};
        struct dmarc_author author = {.kind = DMARC_AUTHOR_ONE, .length = 9, .octets = "d.example"};
        struct dmarc_verdict verdict = {.result = AUTH_FAIL,
                                        .reason = "not aligned",
                                        .has_record = true,
                                        .policy = DMARC_POLICY_QUARANTINE};
        struct arc arc = {.count = 2, .result = AUTH_PASS, .reason = "", .oldest_pass = 1};

        dkim.signatures[0] = (struct auth_signature){.result = AUTH_PASS,
                                                     .reason = "",
                                                     .domain = SPAN("d.example"),
                                                     .selector = SPAN("s1"),
                                                     .value = SPAN("ab\r\n cd/f+hij"),
                                                     .key = KEY_ED25519};
        dkim.signatures[1] = (struct auth_signature){.result = AUTH_NEUTRAL, .reason = "a tag is missing"};
        check(&(struct auth_results){.server = SPAN("mx.isp.example"),
                                     .iprev = "pass",
                                     .client = SPAN("2001:db8::1"),
                                     .spf = "softfail",
                                     .mail_from = SPAN("a@d.example"),
                                     .dkim = &dkim,
                                     .author = &author,
                                     .dmarc = &verdict,
                                     .arc = &arc},
              "Authentication-Results: mx.isp.example;\r\n"
              "\tiprev=pass policy.iprev=\"2001:db8::1\";\r\n"
              "\tspf=softfail smtp.mailfrom=a@d.example;\r\n"
              "\tdkim=pass header.d=d.example header.s=s1 header.b=\"abcd/f+h\"\r\n"
              "\theader.a=ed25519-sha256;\r\n"
              "\tdkim=neutral reason=\"a tag is missing\";\r\n"
              "\tdmarc=fail reason=\"not aligned\" header.from=d.example\r\n"
              "\tpolicy.dmarc=quarantine;\r\n"
              "\tarc=pass header.oldest-pass=0 smtp.remote-ip=\"2001:db8::1\"\r\n");
}

Test(auth_results, without_signature_or_policy)
{
        struct dkim dkim = {.count = 0};
        struct dmarc_author author = {.kind = DMARC_AUTHOR_NONE, .reason = "x"};
        struct dmarc_verdict verdict = {.result = AUTH_NONE, .reason = "x"};
        struct arc arc = {.result = AUTH_NONE, .reason = ""};

        check(&(struct auth_results){.server = SPAN("mx"),
                                     .client = SPAN("192.0.2.1"),
                                     .spf = "none",
                                     .helo = SPAN("[192.0.2.1]"),
                                     .dkim = &dkim,
                                     .author = &author,
                                     .dmarc = &verdict,
                                     .arc = &arc},
              "Authentication-Results: mx;\r\n\tspf=none "
              "smtp.helo=\"[192.0.2.1]\";\r\n\tdkim=none;\r\n\tdmarc=none;\r\n"
              "\tarc=none\r\n");
}

/* What strangers choose: a mailbox, a name in HELO, a domain, a selector, a value. */
Test(auth_results, nobody_else_writes)
{
        static const char hostile[] = "a\r\nX: y; dkim=pass\"\\ (\x01\x7f\xc3\xa4\n\0b@c@d";
        struct span text = span_of(hostile, sizeof hostile - 1);
        struct dkim dkim = {.count = DKIM_SIGNATURES_MAX};
        char long_value[5000];
        struct text out;

        memset(long_value, '"', sizeof long_value);
        for (size_t i = 0; i < DKIM_SIGNATURES_MAX; i++)
                dkim.signatures[i] = (struct auth_signature){.result = AUTH_POLICY,
                                                             .reason = "h= has more names than are judged",
                                                             .domain = span_of(long_value, sizeof long_value),
                                                             .selector = span_of(long_value, 253),
                                                             .value = text};
        for (unsigned is_helo = 0; is_helo < 2; is_helo++) {
                struct auth_results results = {.server = SPAN("mx"),
                                               .spf = "fail",
                                               .helo = text,
                                               .dkim = &dkim,
                                               .client = text,
                                               .iprev = "fail"};
                if (!is_helo)
                        results.mail_from = text;
                text_over(&out, octets, sizeof octets);
                auth_results_write(&out, &results);
                cr_assert(!out.overflowed);
                for (size_t i = 0, line = 0; i < out.length; i++, line++) {
                        char c = out.at[i];
                        cr_assert(c == '\r' || c == '\n' || c == '\t' || (c >= ' ' && c < 0x7f));
                        cr_assert(c != '\r' || out.at[i + 1] == '\n');
                        cr_assert(c != '\n' ||
                                  (out.at[i - 1] == '\r' && (i + 1 == out.length || out.at[i + 1] == '\t')));
                        line = c == '\n' ? 0 : line;
                        cr_assert_lt(line, 998);
                }
                static const char told[] = "=\"a??X: y; dkim=pass\\\"\\\\ (????";
                cr_assert_not_null(memmem(out.at, out.length, told, strlen(told)), "%.*s", (int)out.length,
                                   out.at);
        }
}
