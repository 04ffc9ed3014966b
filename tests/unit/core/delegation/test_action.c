/* Actions of policy services, and what they come to. */
#include "core/delegation/action.h"

#include <criterion/criterion.h>

Test(action, is_read)
{
        static const struct {
                const char *action;
                enum delegation_verdict verdict;
                unsigned code;
                const char *enhanced, *name, *text;
        } actions[] = {
            {"DUNNO", DELEGATION_CONTINUES, 0, "", "", ""},
            {" dunno ", DELEGATION_CONTINUES, 0, "", "", ""},
            {"OK known", DELEGATION_ACCEPTS, 0, "", "", "known"},
            {"REJECT", DELEGATION_REJECTS, 554, "5.7.1", "", ""},
            {"REJECT  go away", DELEGATION_REJECTS, 554, "5.7.1", "", "go away"},
            {"REJECT 5.7.23 no spf", DELEGATION_REJECTS, 554, "5.7.23", "", "no spf"},
            {"DEFER", DELEGATION_DEFERS, 450, "4.7.1", "", ""},
            {"DEFER_IF_PERMIT Greylisted, see http://a.example", DELEGATION_DEFERS_IF_ACCEPTED, 450, "4.7.1",
             "", "Greylisted, see http://a.example"},
            {"DEFER_IF_REJECT 4.3.0 later", DELEGATION_DEFERS_IF_REJECTED, 450, "4.3.0", "", "later"},
            {"DISCARD spam", DELEGATION_DISCARDS, 0, "", "", "spam"},
            {"HOLD a suspect", DELEGATION_HOLDS, 0, "", "", "a suspect"},
            {"WARN 5.7.1 odd", DELEGATION_CONTINUES, 0, "", "", "5.7.1 odd"},
            {"INFO a", DELEGATION_CONTINUES, 0, "", "", "a"},
            {"550 no", DELEGATION_REJECTS, 550, "5.7.1", "", "no"},
            {"550", DELEGATION_REJECTS, 550, "5.7.1", "", ""},
            {"550 5.1.1 no such user", DELEGATION_REJECTS, 550, "5.1.1", "", "no such user"},
            {"421 4.7.0 closing", DELEGATION_DEFERS, 421, "4.7.0", "", "closing"},
            {"450 t\xc3\xbc\xff", DELEGATION_DEFERS, 450, "4.7.1", "", "t\xc3\xbc?"},
            {"PREPEND X-Greylist: delayed 300 seconds", DELEGATION_PREPENDS, 0, "", "X-Greylist",
             "delayed 300 seconds"},
            {"prepend Received-SPF:pass (mx.isp.example: a)", DELEGATION_PREPENDS, 0, "", "Received-SPF",
             "pass (mx.isp.example: a)"},
        };
        for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
                struct delegation_answer answer;
                const char *fault = delegation_action_read(span_from(actions[i].action), &answer);
                cr_assert(fault == NULL, "%s: %s", actions[i].action, fault);
                cr_expect_eq(answer.verdict, actions[i].verdict, "%s", actions[i].action);
                cr_expect_eq(answer.code, actions[i].code, "%s", actions[i].action);
                cr_expect_str_eq(answer.enhanced, actions[i].enhanced, "%s", actions[i].action);
                cr_expect_str_eq(answer.name, actions[i].name, "%s", actions[i].action);
                cr_expect_str_eq(answer.text, actions[i].text, "%s", actions[i].action);
        }
}

Test(action, is_refused)
{
        static const struct {
                const char *action, *fault;
        } actions[] = {
            {"", "an action that is unknown here"},
            {"BCC a@b.example", "an action that is unknown here"},
            {"FILTER smtp:[192.0.2.1]", "an action that is unknown here"},
            {"REDIRECT a@b.example", "an action that is unknown here"},
            {"250 ok", "an action that is unknown here"},
            {"650 no", "an action that is unknown here"},
            {"5500 no", "an action that is unknown here"},
            {"REJECTED", "an action that is unknown here"},
            {"REJECT 4.7.1 no", "its enhanced code is of another class"},
            {"450 5.7.1 no", "its enhanced code is of another class"},
            {"PREPEND", "its field has no name"},
            {"PREPEND no field", "its field has no name"},
            {"PREPEND : value", "its field has no name"},
            {"PREPEND A B: value", "its field has no name"},
            {"PREPEND A:", "its field has no value"},
            {"PREPEND A: ", "its field has no value"},
        };
        for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
                struct delegation_answer answer = {.code = 1};
                const char *fault = delegation_action_read(span_from(actions[i].action), &answer);
                cr_expect(fault != NULL && strcmp(fault, actions[i].fault) == 0, "%s", actions[i].action);
                cr_expect_eq(answer.code, 1);
        }
}

Test(action, is_bounded)
{
        static char octets[2000];
        struct delegation_answer answer;

        memset(octets, 'a', sizeof octets);
        memcpy(octets, "REJECT ", 7);
        cr_expect(delegation_action_read(span_of(octets, 7 + 998), &answer) == NULL);
        cr_expect_eq(strlen(answer.text), 998);
        cr_expect_str_eq(delegation_action_read(span_of(octets, 8 + 998), &answer), "its text is too long");
        memcpy(octets, "PREPEND A: ", 11);
        cr_expect(delegation_action_read(span_of(octets, 8 + 998), &answer) == NULL);
        cr_expect_eq(strlen(answer.name) + 2 + strlen(answer.text), 998);
        cr_expect_str_eq(delegation_action_read(span_of(octets, 9 + 998), &answer), "its field is too long");
}
