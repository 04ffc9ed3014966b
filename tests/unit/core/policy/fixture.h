/* For the tests of pages: what stands on one, and what does not. */
#pragma once

#include <criterion/criterion.h>
#include <string.h>

static inline void expect_in(const char *page, const char *wanted)
{
        cr_expect(strstr(page, wanted) != NULL, "no \"%s\" on the page", wanted);
}

static inline void expect_not_in(const char *page, const char *wanted)
{
        cr_expect(strstr(page, wanted) == NULL, "\"%s\" on the page", wanted);
}
