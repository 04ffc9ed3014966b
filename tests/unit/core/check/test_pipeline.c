/* How verdicts combine: in table order, whatever order they came in. */
#include "core/check/pipeline.h"

#include <criterion/criterion.h>

static struct check_setting settings[CHECK_COUNT];

static void all_enforce(void)
{
        for (enum check_id check = 0; check < CHECK_COUNT; check++)
                settings[check] = (struct check_setting){.mode = CHECK_MODE_ENFORCE};
}

static struct verdict make(enum check_id check, enum verdict_result result)
{
        return (struct verdict){.check = check, .result = result};
}

static struct judgement combine(struct verdict *first, struct verdict *second, uint64_t *ret_observed)
{
        struct verdict_list lists[2] = {{.first = first}, {.first = second}};
        return pipeline_combine(lists, 2, settings, ret_observed);
}

Test(pipeline, the_first_refusal_in_table_order_counts, .init = all_enforce)
{
        struct verdict name = make(CHECK_helo_name, VERDICT_REFUSE);
        struct verdict tld = make(CHECK_sender_tld, VERDICT_REFUSE);
        uint64_t observed;

        cr_expect_eq(combine(&name, &tld, &observed).verdict, &name);
        cr_expect_eq(combine(&tld, &name, &observed).verdict, &name);
        cr_expect_eq(observed, 0);
}

Test(pipeline, a_deferral_counts_only_if_nothing_refuses, .init = all_enforce)
{
        struct verdict name = make(CHECK_helo_name, VERDICT_DEFER);
        struct verdict tld = make(CHECK_sender_tld, VERDICT_REFUSE);
        uint64_t observed;

        cr_expect_eq(combine(&name, &tld, &observed).verdict, &tld);
        tld.result = VERDICT_DEFER;
        struct judgement judgement = combine(&tld, &name, &observed);
        cr_expect_eq(judgement.verdict, &name);
        cr_expect_eq(judgement.result, VERDICT_DEFER);
}

Test(pipeline, observed_and_off_do_not_count, .init = all_enforce)
{
        struct verdict name = make(CHECK_helo_name, VERDICT_REFUSE);
        struct verdict tld = make(CHECK_sender_tld, VERDICT_REFUSE);
        uint64_t observed;

        settings[CHECK_helo_name].mode = CHECK_MODE_OBSERVE;
        settings[CHECK_sender_tld].mode = CHECK_MODE_OFF;
        cr_expect_eq(combine(&name, &tld, &observed).result, VERDICT_PASS);
        cr_expect_eq(observed, UINT64_C(1) << CHECK_helo_name);
}

Test(pipeline, nothing_found_passes, .init = all_enforce)
{
        uint64_t observed = 7;
        cr_expect_eq(combine(NULL, NULL, &observed).result, VERDICT_PASS);
        cr_expect_eq(observed, 0);
}

Test(pipeline, a_verdict_that_only_observes_does_not_count, .init = all_enforce)
{
        struct verdict name = make(CHECK_helo_name, VERDICT_REFUSE);
        struct verdict tld = make(CHECK_sender_tld, VERDICT_DEFER);
        uint64_t observed;

        name.only_observes = true;
        cr_expect_eq(combine(&name, &tld, &observed).verdict, &tld);
        cr_expect_eq(observed, UINT64_C(1) << CHECK_helo_name);
}
