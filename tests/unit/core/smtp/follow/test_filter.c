/* Whose sessions a filter means. */
#include "core/smtp/follow/filter.h"

#include <criterion/criterion.h>

Test(filter, addresses)
{
        static const struct {
                const char *filter, *address;
                bool fits;
        } rows[] = {
            {"from=me@example.com", "me@example.com", true},
            {"from=me@example.com", "ME@Example.Com", true},
            {"from=me@example.com", "me@example.com.", false},
            {"from=<me@example.com>", "me@example.com", true},
            {"from=@example.com", "anybody@example.com", true},
            {"from=@example.com", "anybody@sub.example.com", false},
            {"from=*example.com", "anybody@sub.example.com", true},
            {"from=*", "", true},
            {"from=", "", true},
            {"from=<>", "", true},
            {"from=\"\"", "", true},
            {"from=\"\"", "x@y", false},
            {"from=<>", "x@y", false},
            {"from=a*b*c", "aXbYbZc", true},
            {"from=a*b*c", "aXbYbZ", false},
            {"from=**a", "bbba", true},
            {"from=a*", "a", true},
            {"from=*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
        };

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                struct follow_filter filter;
                cr_assert(follow_filter_parse(span_from(rows[i].filter), &filter), "%s", rows[i].filter);
                cr_assert_eq(follow_filter_has_address(&filter, FOLLOW_SENDER, span_from(rows[i].address)),
                             rows[i].fits, "%s for <%s>", rows[i].filter, rows[i].address);
                cr_assert_not(
                    follow_filter_has_address(&filter, FOLLOW_RECIPIENT, span_from(rows[i].address)));
        }
}

Test(filter, clients)
{
        struct follow_filter filter;
        struct address inside, outside;

        cr_assert(follow_filter_parse(SPAN("ip=192.0.2.0/25"), &filter));
        cr_assert(address_parse(SPAN("192.0.2.127"), &inside) &&
                  address_parse(SPAN("192.0.2.128"), &outside));
        cr_assert(follow_filter_has_client(&filter, &inside));
        cr_assert_not(follow_filter_has_client(&filter, &outside));
        cr_assert(follow_filter_parse(SPAN("ip=2001:db8::7"), &filter));
        cr_assert(address_parse(SPAN("2001:db8::7"), &inside));
        cr_assert(follow_filter_has_client(&filter, &inside));
}

Test(filter, rates)
{
        uint64_t rate;

        cr_assert(follow_rate_parse(SPAN("1"), &rate) && rate == 1);
        cr_assert(follow_rate_parse(SPAN("100000"), &rate) && rate == 100000);
        cr_assert_not(follow_rate_parse(SPAN("0"), &rate));
        cr_assert_not(follow_rate_parse(SPAN("100001"), &rate));
        cr_assert_not(follow_rate_parse(SPAN("x"), &rate));
        cr_assert_not(follow_rate_parse(SPAN(""), &rate));
}

Test(filter, refuses_what_is_none)
{
        static const char *const texts[] = {"", "ip=", "ip=192.0.2.0/33", "me@example.com", "helo=x"};
        struct follow_filter filter;
        char longest[FOLLOW_PATTERN_MAX + 8];

        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
                cr_assert_not(follow_filter_parse(span_from(texts[i]), &filter), "%s", texts[i]);
        memset(longest, 'x', sizeof longest);
        memcpy(longest, "from=", 5);
        cr_assert_not(follow_filter_parse(span_of(longest, sizeof longest), &filter));
}
