/* Nobody who was refused is left without a reason. */
#include "workers/cli/explain/advice.h"

#include "conf/checks.h"
#include "conf/replies.h"

#include <criterion/criterion.h>

Test(advice, each_reply_that_refuses_has_a_reason_and_a_remedy)
{
        for (enum reply_id reply = 0; reply < REPLY_COUNT; reply++) {
                const struct advice *advice = advice_of_reply(reply_infos[reply].name);
                bool refuses = reply_infos[reply].text[0] >= '4';
                cr_expect_eq(advice != NULL, refuses, "%s", reply_infos[reply].name);
                cr_expect(advice == NULL || (advice->why[0] != '\0' && advice->remedy[0] != '\0'), "%s",
                          reply_infos[reply].name);
        }
}

Test(advice, each_check_has_a_reason_and_a_remedy)
{
        for (enum check_id check = 0; check < CHECK_COUNT; check++)
                cr_expect_not_null(advice_of_check(check_infos[check].name), "%s", check_infos[check].name);
}

Test(advice, what_is_unknown_has_none)
{
        cr_expect_null(advice_of_reply(NULL));
        cr_expect_null(advice_of_reply("nothing"));
        cr_expect_null(advice_of_check(NULL));
        cr_expect_null(advice_of_ending(NULL));
        cr_expect_null(advice_of_ending("closed"));
        cr_expect_not_null(advice_of_ending("lost"));
}
