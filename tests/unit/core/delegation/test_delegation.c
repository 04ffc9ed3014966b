/* Dialogues with a policy service. What it says arrives whole, octet by octet, and in pieces. */
#include "core/delegation/delegation.h"

#include <criterion/criterion.h>

#define ROOM 32768

static struct delegation_terms terms;
static struct delegation delegation;
static char out_octets[ROOM];
static struct text out;

static void begin(void)
{
        memcpy(terms.patience_ms, delegation_patience_most_ms, sizeof terms.patience_ms);
        text_over(&out, out_octets, sizeof out_octets);
        delegation_begin(&delegation, &terms, 1000);
}

static bool ask(void)
{
        static const struct delegation_attribute attributes[] = {
            {"request", {"smtpd_access_policy", 19}},
            {"sender", {"a@far.example", 13}},
            {"helo_name", {"a\nrequest=x\0y", 13}},
            {"size", {"", 0}},
        };
        return delegation_ask(&delegation, attributes, 4, &out);
}

/* The first event of what the service says, in pieces of so many octets. */
static enum delegation_event hear_in_pieces(struct span octets, size_t most)
{
        char kept[ROOM];
        size_t length = 0;

        while (octets.length > 0) {
                size_t piece = octets.length < most ? octets.length : most;
                memcpy(kept + length, octets.at, piece);
                octets = span_skip(octets, piece);
                struct span input = span_of(kept, length + piece);
                enum delegation_event event = delegation_input(&delegation, &input);
                if (event != DELEGATION_WAITS)
                        return event;
                cr_assert(input.length < DELEGATION_LINE_MAX);
                memmove(kept, input.at, input.length);
                length = input.length;
        }
        return DELEGATION_WAITS;
}

static enum delegation_event hear(const char *octets)
{
        return hear_in_pieces(span_from(octets), SIZE_MAX);
}

static enum delegation_event hear_more(void)
{
        struct span nothing = SPAN("");
        return delegation_input(&delegation, &nothing);
}

Test(delegation, writes_requests, .init = begin)
{
        cr_assert(ask());
        cr_expect(span_equals(text_span(&out), SPAN("request=smtpd_access_policy\nsender=a@far.example\n"
                                                    "helo_name=a?request=x?y\nsize=\n\n")));
        cr_expect_not(ask(), "one is under way");
}

Test(delegation, is_answered_again_and_again, .init = begin)
{
        for (unsigned i = 0; i < 3; i++) {
                cr_assert(ask());
                cr_expect_eq(hear("action=REJECT no\n\n"), DELEGATION_ANSWERED);
                cr_expect_eq(delegation.answer.verdict, DELEGATION_REJECTS);
                cr_expect_str_eq(delegation.answer.text, "no");
                cr_expect_eq(hear_more(), DELEGATION_WAITS);
        }
}

static char *long_line(void)
{
        static char octets[DELEGATION_LINE_MAX + 2];

        memset(octets, 'a', DELEGATION_LINE_MAX);
        octets[1] = '=';
        octets[DELEGATION_LINE_MAX] = '\n';
        return octets;
}

static char *many_lines(void)
{
        static char octets[5 * DELEGATION_LINES_MAX];

        for (unsigned i = 0; i < DELEGATION_LINES_MAX; i++)
                memcpy(octets + 4 * i, "a=b\n", 4);
        return octets;
}

Test(delegation, takes_answers_as_they_come)
{
        const struct {
                const char *octets;
                const char *why; /* NULL: it is an answer */
        } answers[] = {
            {"action=DUNNO\n\n", NULL},
            {"version=1\naction=DUNNO\nmore=\n\n", NULL},
            {"action=PREPEND X: a=b\n\n", NULL},
            {"\n", "its answer has no action"},
            {"verdict=DUNNO\n\n", "its answer has no action"},
            {"action=DUNNO\naction=OK\n\n", "its answer has two actions"},
            {"action=BCC a@b.example\n\n", "an action that is unknown here"},
            {"action=DUNNO\r\n\r\n", "its answer is not well formed"},
            {"action\n", "its answer is not well formed"},
            {"=DUNNO\n", "its answer is not well formed"},
            {"action=PREPEND A: b\rC: d\n\n", "its answer is not well formed"},
            {"220 mx.example ESMTP\n", "its answer is not well formed"},
            {long_line(), "a line of its answer is too long"},
            {many_lines(), "its answer has too many lines"},
        };
        static const size_t cuts[] = {SIZE_MAX, 1, 2, 7};

        for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
                for (size_t cut = 0; cut < sizeof cuts / sizeof cuts[0]; cut++) {
                        begin();
                        cr_assert(ask());
                        enum delegation_event event = hear_in_pieces(span_from(answers[i].octets), cuts[cut]);
                        cr_expect_eq(event, answers[i].why == NULL ? DELEGATION_ANSWERED : DELEGATION_FAILED,
                                     "%s", answers[i].octets);
                        if (answers[i].why != NULL)
                                cr_expect_str_eq(delegation.why, answers[i].why);
                        cr_expect_eq(hear_more(),
                                     answers[i].why == NULL ? DELEGATION_WAITS : DELEGATION_CLOSE);
                }
}

Test(delegation, is_not_spoken_to_unasked, .init = begin)
{
        cr_expect_eq(hear("action=OK\n\n"), DELEGATION_FAILED);
        cr_expect_str_eq(delegation.why, "it speaks unasked");
        cr_expect_eq(hear_more(), DELEGATION_CLOSE);
}

Test(delegation, ends_with_its_patience, .init = begin)
{
        cr_assert(ask());
        cr_expect_eq(delegation.deadline_ms, 101000);
        delegation.now_ms = 100999;
        cr_expect_eq(delegation_timeout(&delegation), DELEGATION_WAITS);
        cr_expect_eq(hear("action=DUNNO\n"), DELEGATION_WAITS);
        delegation.now_ms = 101000;
        cr_expect_eq(delegation_timeout(&delegation), DELEGATION_FAILED);
        cr_expect_str_eq(delegation.why, "it took too long");
        cr_expect_eq(hear_more(), DELEGATION_CLOSE);
}

Test(delegation, leaves_when_nobody_uses_it, .init = begin)
{
        cr_expect_eq(delegation.deadline_ms, 301000);
        delegation.now_ms = 301000;
        cr_expect_eq(delegation_timeout(&delegation), DELEGATION_CLOSE);
}

Test(delegation, takes_no_request_when_old, .init = begin)
{
        delegation.now_ms = 1000999;
        cr_expect(delegation_takes_request(&delegation));
        delegation.now_ms = 1001000;
        cr_expect_not(ask());
        cr_expect_eq(out.length, 0);
}

Test(delegation, tells_when_it_may_be_asked_again, .init = begin)
{
        cr_assert(ask());
        cr_expect_eq(delegation_lost(&delegation), DELEGATION_FAILED);
        cr_expect_not(delegation.may_ask_again, "it was new");
        begin();
        cr_assert(ask());
        cr_expect_eq(hear("action=OK\n\n"), DELEGATION_ANSWERED);
        cr_assert(ask());
        cr_expect_eq(delegation_lost(&delegation), DELEGATION_FAILED);
        cr_expect(delegation.may_ask_again);
        begin();
        cr_expect_eq(delegation_lost(&delegation), DELEGATION_CLOSE);
}

Test(delegation, stops, .init = begin)
{
        cr_expect_eq(delegation_stop(&delegation, false), DELEGATION_CLOSE);
        begin();
        cr_assert(ask());
        cr_expect_eq(delegation_stop(&delegation, false), DELEGATION_WAITS);
        cr_expect_eq(hear("action=OK\n\n"), DELEGATION_ANSWERED);
        cr_expect_eq(hear_more(), DELEGATION_CLOSE);
        begin();
        cr_assert(ask());
        cr_expect_eq(delegation_stop(&delegation, true), DELEGATION_FAILED);
        cr_expect_eq(hear_more(), DELEGATION_CLOSE);
}

Test(delegation, bounds_requests, .init = begin)
{
        static char octets[DELEGATION_REQUEST_MAX];
        struct delegation_attribute attribute = {"a", {octets, sizeof octets - 4}};

        memset(octets, 'x', sizeof octets);
        cr_expect(delegation_ask(&delegation, &attribute, 1, &out));
        cr_expect_eq(out.length, DELEGATION_REQUEST_MAX);
        begin();
        attribute.value.length++;
        cr_expect_not(delegation_ask(&delegation, &attribute, 1, &out));
        cr_expect(out.length == 0 && !out.overflowed);
}
