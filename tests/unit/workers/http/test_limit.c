/* Who asks too often within a time is told so, and nobody else is. */
#include "workers/http/limit.h"

#include <criterion/criterion.h>

static struct address address(const char *text)
{
        struct address address;

        cr_assert(address_parse(span_from(text), &address));
        return address;
}

Test(limit, each_client_has_its_own)
{
        const struct rate rate = {.events = 3, .window_ms = 60000}, none = {0};
        const struct address client = address("192.0.2.1"), other = address("192.0.2.2"),
                             six = address("2001:db8::1"), same = address("2001:db8::2"),
                             far = address("2001:db8:0:1::1");
        struct http_limit limit;

        cr_assert(http_limit_init(&limit));
        for (uint64_t i = 0; i < 5; i++) {
                cr_expect_eq(http_limit_is_over(&limit, &rate, &client, 1000 + i), i >= 3, "%zu", (size_t)i);
                cr_expect_eq(http_limit_is_over(&limit, &rate, i % 2 ? &six : &same, 1000 + i), i >= 3, "%zu",
                             (size_t)i);
        }
        cr_expect_not(http_limit_is_over(&limit, &rate, &other, 1010));
        cr_expect_not(http_limit_is_over(&limit, &rate, &far, 1010));
        cr_expect(http_limit_is_over(&limit, &rate, &client, 60999));
        cr_expect_not(http_limit_is_over(&limit, &rate, &client, 61000));
        for (uint64_t i = 0; i < 10; i++)
                cr_expect_not(http_limit_is_over(&limit, &none, &other, 200000));
        http_limit_end(&limit);
}
