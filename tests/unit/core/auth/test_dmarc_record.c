/* DMARC: records and their tags (RFC 9989 4.7, 4.8). */
#include "core/auth/dmarc/record.h"

#include <criterion/criterion.h>

enum { N = DMARC_POLICY_NONE, Q = DMARC_POLICY_QUARANTINE, R = DMARC_POLICY_REJECT };

static const struct {
        const char *record;
        int p, sp, np;
        bool is_unusable;
} policies[] = {
    {"v=DMARC1; p=reject", R, R, R, false},
    {"v=DMARC1;p=Reject;sp=quarantine", R, Q, Q, false},
    {" v = DMARC1 ; p = quarantine ; np = reject ;", Q, Q, R, false},
    {"v=DMARC1; sp=none; np=quarantine; p=reject;;", R, N, Q, false},
    {"v=DMARC1; p=reject; pct=0; ri=1; rf=afrf; x=y", R, R, R, false}, /* what RFC 7489 had counts no more */
    {"v=DMARC1; p=reject; bad; =; sp=quarantine", R, Q, Q, false},
    {"v=DMARC1; p=reject; p=none", R, R, R, false},
    {"v=DMARC1; P=reject", R, R, R, false},
    {"v=DMARC1", N, N, N, true},
    {"v=DMARC1; p=monitor", N, N, N, true},
    {"v=DMARC1; p=monitor; rua=mailto:a@x.example", N, N, N, false},
    {"v=DMARC1; rua=mailto:a@x.example", N, N, N, false},
    {"v=DMARC1; p=reject; sp=x; rua=bad", N, N, N, true},
    {"v=DMARC1; p=reject; np=x; rua=bad,https://x.example/!10m", N, N, N, false},
};

Test(auth_dmarc_record, policies_of_records)
{
        struct dmarc_record record;

        for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
                cr_assert(dmarc_record_read(span_from(policies[i].record), &record), "%s",
                          policies[i].record);
                cr_assert((int)record.domain == policies[i].p && (int)record.subdomains == policies[i].sp &&
                              (int)record.nonexistent == policies[i].np,
                          "%s", policies[i].record);
                cr_assert_eq(record.is_unusable, policies[i].is_unusable, "%s", policies[i].record);
        }
}

Test(auth_dmarc_record, no_records)
{
        static const char *const texts[] = {"",
                                            "v=dmarc1; p=none",
                                            "v=DMARC2; p=none",
                                            "p=none; v=DMARC1",
                                            "v=spf1 -all",
                                            "v=DMARC1 p=none",
                                            "v=DMARC11; p=none",
                                            ";v=DMARC1"};
        static char long_text[DMARC_RECORD_MAX + 100] = "v=DMARC1; p=reject; x=";
        struct dmarc_record record;

        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
                cr_assert_not(dmarc_record_read(span_from(texts[i]), &record), "%s", texts[i]);
        memset(long_text + strlen(long_text), 'x', DMARC_RECORD_MAX);
        cr_assert_not(dmarc_record_read(span_from(long_text), &record));
}

Test(auth_dmarc_record, other_tags)
{
        struct dmarc_record record;
        struct span list, uri;

        cr_assert(dmarc_record_read(
            SPAN("v=DMARC1; p=none; adkim=s; aspf=S; t=y; psd=n; fo=1:d:s;"
                 "rua=bad, mailto:a@x.example!10m , https://y.example/;ruf=mailto:b@x.example"),
            &record));
        cr_assert(record.dkim_is_strict && record.spf_is_strict && record.is_testing &&
                  record.psd == DMARC_PSD_NO);
        cr_assert_eq(record.failures, DMARC_FAILURES_ANY | DMARC_FAILURES_DKIM | DMARC_FAILURES_SPF);
        list = record.rua;
        cr_assert(dmarc_uri_next(&list, &uri) && span_equals(uri, SPAN("mailto:a@x.example")));
        cr_assert(dmarc_uri_next(&list, &uri) && span_equals(uri, SPAN("https://y.example/")));
        cr_assert_not(dmarc_uri_next(&list, &uri));
        cr_assert(dmarc_record_read(
            SPAN("v=DMARC1; adkim=x; aspf=strict; t=yes; psd=u; fo=0:1; ruf=mailto:a@x.example"), &record));
        cr_assert(!record.dkim_is_strict && !record.spf_is_strict && !record.is_testing);
        cr_assert(record.psd == DMARC_PSD_UNKNOWN && record.failures == DMARC_FAILURES_ALL);
        cr_assert(dmarc_record_read(SPAN("v=DMARC1; fo=1"), &record) && record.failures == 0); /* no ruf= */
}
