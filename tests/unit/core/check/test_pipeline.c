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

/* ---- waiting */

static struct judgement combine_waiting(struct verdict *verdict, enum check_id waits)
{
        struct verdict_list list = {.first = verdict, .waiting = UINT64_C(1) << waits};
        uint64_t observed;
        return pipeline_combine(&list, 1, settings, &observed);
}

Test(pipeline, a_refusal_above_what_waits_settles, .init = all_enforce)
{
        struct verdict name = make(CHECK_helo_name, VERDICT_REFUSE);
        struct verdict bounce = make(CHECK_bounce_reference, VERDICT_REFUSE);

        cr_expect_eq(combine_waiting(&name, CHECK_bounce_reference).verdict, &name);
        cr_expect_eq(combine_waiting(&bounce, CHECK_helo_name).result, VERDICT_WAIT);
        name.result = VERDICT_DEFER;
        cr_expect_eq(combine_waiting(&name, CHECK_bounce_reference).result, VERDICT_WAIT);
        cr_expect_eq(combine_waiting(NULL, CHECK_bounce_reference).result, VERDICT_WAIT);
}

Test(pipeline, what_is_off_is_not_waited_for_and_what_observes_is, .init = all_enforce)
{
        settings[CHECK_bounce_reference].mode = CHECK_MODE_OFF;
        cr_expect_eq(combine_waiting(NULL, CHECK_bounce_reference).result, VERDICT_PASS);
        settings[CHECK_bounce_reference].mode = CHECK_MODE_OBSERVE;
        cr_expect_eq(combine_waiting(NULL, CHECK_bounce_reference).result, VERDICT_WAIT);
}

/* The check that waits: linked in the place of bounce_reference, at the stage DATA, by a name of the linker's. */
static enum verdict_result next_result;
static unsigned runs;

enum verdict_result __wrap_check_bounce_reference(const struct facts *facts, struct verdict *verdict);

enum verdict_result __wrap_check_bounce_reference(const struct facts *facts, struct verdict *verdict)
{
        (void)facts;
        verdict->reply = REPLY_bounce_reference;
        runs++;
        return next_result;
}

Test(pipeline, the_end_of_the_text_waits_and_is_resumed)
{
        struct snapshot snapshot = {.check_is_wanted = {[CHECK_bounce_reference] = true}};
        struct block_pool pool;
        struct arena arena;
        struct verdict_list list = {0};

        block_pool_init(&pool, 1024, 0);
        arena_init(&arena, &pool, SIZE_MAX);
        struct facts facts = {.snapshot = &snapshot, .arena = &arena};
        next_result = VERDICT_WAIT;
        pipeline_run(&facts, STAGE_DATA, &list);
        cr_expect_eq(list.waiting, UINT64_C(1) << CHECK_bounce_reference);
        cr_expect_null(list.first);
        pipeline_resume(&facts, STAGE_RCPT, &list);
        cr_expect_eq(runs, 1, "that of another stage");
        next_result = VERDICT_REFUSE;
        pipeline_resume(&facts, STAGE_DATA, &list);
        cr_expect_eq(list.waiting, 0);
        cr_assert_not_null(list.first);
        cr_expect_eq(list.first->check, CHECK_bounce_reference);
        pipeline_resume(&facts, STAGE_DATA, &list);
        cr_expect_eq(runs, 2, "it is settled");
        arena_end(&arena);
        block_pool_end(&pool);
}

/* What cannot be kept is no pass: the client is to come again. */
Test(pipeline, a_verdict_without_memory_is_a_deferral, .init = all_enforce)
{
        struct snapshot *snapshot = calloc(1, sizeof *snapshot);
        struct verdict_list list = {0};
        struct block_pool pool;
        struct arena arena;
        uint64_t observed;

        block_pool_init(&pool, 256, 1);
        arena_init(&arena, &pool, 0);
        snapshot->check_is_wanted[CHECK_helo_name] = true;
        struct facts facts = {.snapshot = snapshot, .helo = SPAN("localhost"), .arena = &arena};
        pipeline_run(&facts, STAGE_HELO, &list);
        cr_expect_null(list.first);
        cr_expect(!verdict_list_is_empty(&list));
        struct judgement judgement = pipeline_combine(&list, 1, settings, &observed);
        cr_assert_eq(judgement.result, VERDICT_DEFER);
        cr_expect_eq(judgement.verdict->reply, REPLY_out_of_memory);
        cr_expect_eq(judgement.verdict->check, CHECK_helo_name);
        settings[CHECK_helo_name].mode = CHECK_MODE_OBSERVE;
        cr_expect_eq(pipeline_combine(&list, 1, settings, &observed).result, VERDICT_PASS);
        cr_expect_eq(observed, UINT64_C(1) << CHECK_helo_name);

        /* There is memory again. */
        settings[CHECK_helo_name].mode = CHECK_MODE_ENFORCE;
        arena_init(&arena, &pool, 4096);
        pipeline_run(&facts, STAGE_HELO, &list);
        cr_expect_eq(pipeline_combine(&list, 1, settings, &observed).result, VERDICT_REFUSE);
        arena_end(&arena);
        block_pool_end(&pool);
        free(snapshot);
}
