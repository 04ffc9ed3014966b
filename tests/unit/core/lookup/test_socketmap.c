/* The dialogue of socketmap: what is asked, each answer, each fault; whole and octet by octet. */
#include "core/lookup/socketmap.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct socketmap map;

static void ask(void)
{
        char octets[SOCKETMAP_OUT_ROOM];
        struct text out;

        text_over(&out, octets, sizeof octets);
        cr_assert(socketmap_ask(&map, SPAN("rcpt"), SPAN("alice@isp.example"), 5000, &out));
        cr_expect(span_equals(text_span(&out), SPAN("22:rcpt alice@isp.example,")));
        cr_expect_eq(map.deadline_ms, 5000);
}

static enum socketmap_event hear(const char *octets, size_t piece)
{
        struct span all = span_from(octets);
        enum socketmap_event event = SOCKETMAP_WAITS;

        while (all.length > 0 && event == SOCKETMAP_WAITS) {
                struct span input = span_of(all.at, all.length < piece ? all.length : piece);
                size_t given = input.length;
                event = socketmap_input(&map, &input);
                all = span_skip(all, given - input.length);
        }
        return event;
}

Test(socketmap, answers)
{
        static const struct {
                const char *octets;
                enum fact fact;
                const char *text;
        } cases[] = {
            {"2:OK,", FACT_FOUND, ""},
            {"3:OK ,", FACT_FOUND, ""},
            {"15:OK greylist=off,", FACT_FOUND, "greylist=off"},
            {"9:NOTFOUND ,", FACT_ABSENT, ""},
            {"8:NOTFOUND,", FACT_ABSENT, ""},
            {"13:TEMP LDAP, no,", FACT_FAILED, "LDAP, no"},
            {"8:TIMEOUT ,", FACT_FAILED, ""},
            {"12:PERM no such,", FACT_FAILED, "no such"},
        };
        for (size_t piece = 1; piece <= 64; piece *= 64)
                for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                        socketmap_begin(&map);
                        for (unsigned again = 0; again < 2; again++) {
                                ask();
                                cr_assert_eq(hear(cases[i].octets, piece), SOCKETMAP_ANSWERED, "%s",
                                             cases[i].octets);
                                cr_expect_eq(map.fact, cases[i].fact);
                                cr_expect(span_equals(map.text, span_from(cases[i].text)), "%s",
                                          cases[i].octets);
                                cr_expect_eq(map.deadline_ms, UINT64_MAX);
                        }
                }
}

Test(socketmap, faults)
{
        static const struct {
                const char *octets, *fault;
        } cases[] = {
            {"x", "the length of its answer is no number"},
            {":OK,", "the length of its answer is no number"},
            {"-2:OK,", "the length of its answer is no number"},
            {"0:,", "the length of its answer is no number"},
            {"02:OK,", "the length of its answer is no number"},
            {"2 :OK,", "the length of its answer is no number"},
            {"4097:", "its answer is too long"},
            {"99999999999999999999999999:", "its answer is too long"},
            {"2:OKx", "its answer has no end where it should"},
            {"3:OK,\n", "its answer has no end where it should"},
            {"2:ok,", "its answer begins with none of OK, NOTFOUND, TEMP, TIMEOUT and PERM"},
            {"3:OKx,", "its answer begins with none of OK, NOTFOUND, TEMP, TIMEOUT and PERM"},
            {"1: ,", "its answer begins with none of OK, NOTFOUND, TEMP, TIMEOUT and PERM"},
        };
        for (size_t piece = 1; piece <= 64; piece *= 64)
                for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                        socketmap_begin(&map);
                        ask();
                        cr_expect_eq(hear(cases[i].octets, piece), SOCKETMAP_BROKEN, "%s", cases[i].octets);
                        cr_expect_str_eq(map.fault, cases[i].fault, "%s", cases[i].octets);
                        cr_expect_eq(map.fact, FACT_FAILED, "%s: never absent", cases[i].octets);
                        cr_expect_eq(map.deadline_ms, UINT64_MAX);
                        cr_expect_eq(hear("2:OK,", piece), SOCKETMAP_BROKEN,
                                     "nothing is believed afterwards");
                }
}

/* The answer to a question that was not asked must not be taken for that to the next one. */
Test(socketmap, what_comes_unasked)
{
        socketmap_begin(&map);
        cr_expect_eq(hear("2:OK,", 64), SOCKETMAP_BROKEN);
        cr_expect_str_eq(map.fault, "it speaks unasked");
        socketmap_begin(&map);
        ask();
        struct span input = SPAN("8:NOTFOUND,2:OK,");
        cr_expect_eq(socketmap_input(&map, &input), SOCKETMAP_ANSWERED);
        cr_expect_eq(map.fact, FACT_ABSENT);
        cr_expect(span_equals(input, SPAN("2:OK,")));
        cr_expect_eq(socketmap_input(&map, &input), SOCKETMAP_BROKEN);
        cr_expect_str_eq(map.fault, "it speaks unasked");
}

Test(socketmap, deadlines_and_ends)
{
        socketmap_begin(&map);
        ask();
        cr_expect_eq(hear("8:NOTFOU", 64), SOCKETMAP_WAITS);
        cr_expect_eq(socketmap_fail(&map, "it did not answer in time"), SOCKETMAP_BROKEN);
        cr_expect_eq(map.fact, FACT_FAILED);
        cr_expect_eq(socketmap_fail(&map, "it has closed"), SOCKETMAP_BROKEN);
        cr_expect_str_eq(map.fault, "it did not answer in time");
}

Test(socketmap, bounds)
{
        static char long_key[SOCKETMAP_KEY_MAX + 1], octets[SOCKETMAP_OUT_ROOM],
            answer[SOCKETMAP_ANSWER_MAX + 8];
        static const char name[] = "0123456789012345678901234567890123456789012345678901234567890123";
        struct text out;

        memset(long_key, 'k', sizeof long_key);
        socketmap_begin(&map);
        text_over(&out, octets, sizeof octets);
        cr_expect_not(socketmap_ask(&map, span_from(name), span_of(long_key, sizeof long_key), 1, &out));
        cr_expect_eq(out.length, 0);
        cr_expect(socketmap_ask(&map, span_from(name), span_of(long_key, SOCKETMAP_KEY_MAX), 1, &out));
        cr_expect_not(out.overflowed);
        int length =
            snprintf(answer, sizeof answer, "%d:OK %0*d,", SOCKETMAP_ANSWER_MAX, SOCKETMAP_ANSWER_MAX - 3, 0);
        cr_expect_eq(length, SOCKETMAP_ANSWER_MAX + 6);
        cr_expect_eq(hear(answer, 999), SOCKETMAP_ANSWERED);
        cr_expect_eq(map.text.length, SOCKETMAP_ANSWER_MAX - 3);
}
