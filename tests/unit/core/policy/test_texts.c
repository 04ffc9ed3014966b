/* Nobody who was refused is left without a reason, in either language. */
#include "core/policy/texts.h"

#include <criterion/criterion.h>

static void expect_told(const struct wording *wording, const char *name)
{
        for (enum language language = 0; language < LANGUAGE_COUNT; language++) {
                struct span text = span_from(wording->in[language]);
                cr_expect(text.length > 0 && span_is_utf8(text) && !span_has_control(text), "%s", name);
        }
        cr_expect_str_neq(wording->in[LANGUAGE_ENGLISH], wording->in[LANGUAGE_GERMAN], "%s", name);
}

/* A cause stands behind a colon, and a full stop is put behind it; a remedy is sentences. */
static void expect_advice(const struct advice *advice, const char *name)
{
        expect_told(&advice->why, name);
        expect_told(&advice->remedy, name);
        for (enum language language = 0; language < LANGUAGE_COUNT; language++) {
                cr_expect(!span_ends_nocase(span_from(advice->why.in[language]), SPAN(".")), "%s", name);
                cr_expect(span_ends_nocase(span_from(advice->remedy.in[language]), SPAN(".")), "%s", name);
        }
}

Test(texts, each_reply_that_refuses_has_a_reason_and_a_remedy)
{
        for (enum reply_id reply = 0; reply < REPLY_COUNT; reply++) {
                const struct advice *advice = advice_of_reply(reply);
                bool refuses = reply_infos[reply].text[0] >= '4';
                cr_expect_eq(advice != NULL, refuses, "%s", reply_infos[reply].name);
                if (advice != NULL)
                        expect_advice(advice, reply_infos[reply].name);
        }
}

/* A reply without a row would else be taken for one of the rule syntax. */
Test(texts, replies_of_syntax_are_those_of_its_table)
{
        for (enum reply_id reply = 0; reply < REPLY_COUNT; reply++)
                if (reply_infos[reply].text[0] >= '4')
                        cr_expect_eq(subject_of_reply(reply) == CHECK_syntax, reply_infos[reply].is_syntax,
                                     "%s", reply_infos[reply].name);
}

/* P14. Acceptors answer two of them to any number of clients, and write no line for each that an id could lead to. */
Test(texts, replies_of_checks_end_with_policy_address_and_id)
{
        for (enum reply_id reply = 0; reply < REPLY_COUNT; reply++) {
                bool is_of_acceptors = reply == REPLY_rate_connections || reply == REPLY_rate_penalty;
                if (reply_infos[reply].text[0] >= '4' && subject_of_reply(reply) < CHECK_COUNT)
                        cr_expect_neq(reply_infos[reply].is_policy, is_of_acceptors, "%s",
                                      reply_infos[reply].name);
        }
}

Test(texts, each_check_has_all_of_them)
{
        for (enum check_id check = 0; check < CHECK_COUNT; check++) {
                const struct check_texts *texts = &check_texts[check];
                expect_told(&texts->title, check_infos[check].name);
                expect_told(&texts->demand, check_infos[check].name);
                expect_told(&texts->reason, check_infos[check].name);
                expect_advice(&texts->advice, check_infos[check].name);
        }
}

Test(texts, what_is_unknown_has_none)
{
        cr_expect_null(advice_of_reply(REPLY_NONE));
        cr_expect_null(advice_of_ending(NULL));
        cr_expect_null(advice_of_ending("closed"));
        expect_advice(advice_of_ending("lost"), "lost");
}
