/* The end of a reply by policy is whole, however long the address is. */
#include "conf/value/policy_url.h"

#include <criterion/criterion.h>

#define ID "1BS0T7G1VBQC"

static void expect_suffix(const char *url, const char *id, const char *expected)
{
        char octets[POLICY_REPLY_SUFFIX_MAX];
        struct text suffix;

        text_over(&suffix, octets, sizeof octets);
        policy_url_put_suffix(&suffix, url, id);
        cr_expect_not(suffix.overflowed, "%s", url);
        cr_expect(span_equals(text_span(&suffix), span_from(expected)), "%.*s", (int)suffix.length,
                  suffix.at);
}

Test(policy_url, the_id_stands_where_it_is_wanted)
{
        expect_suffix("", "", "");
        expect_suffix("", ID, " [" ID "]");
        expect_suffix("https://isp.example/", "", "; see https://isp.example/");
        expect_suffix("https://isp.example/", ID, "; see https://isp.example/ [" ID "]");
        expect_suffix("https://isp.example/%i", ID, "; see https://isp.example/" ID " [" ID "]");
        expect_suffix("https://isp.example/%i?a=%20%i", ID,
                      "; see https://isp.example/" ID "?a=%20%i [" ID "]");
        expect_suffix("https://isp.example/policy/%i", "", "; see https://isp.example/policy/");
        cr_expect(policy_url_has_id("https://isp.example/%i"));
        cr_expect_not(policy_url_has_id("https://isp.example/i%20"));
}

Test(policy_url, the_longest_has_room)
{
        char url[POLICY_URL_MAX + 1], octets[POLICY_REPLY_SUFFIX_MAX];
        struct text suffix;

        memset(url, 'y', sizeof url);
        memcpy(url, "https://x/%i", 12);
        url[POLICY_URL_MAX] = '\0';
        text_over(&suffix, octets, sizeof octets);
        policy_url_put_suffix(&suffix, url, ID);
        cr_expect_not(suffix.overflowed);
        cr_expect_eq(suffix.length, 6 + POLICY_URL_MAX - 2 + 12 + 2 + 12 + 1);
        cr_expect(span_ends_nocase(text_span(&suffix), SPAN("yyy [" ID "]")));
}
