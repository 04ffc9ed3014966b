/* What is a reply, what is none, and what becomes of its text. */
#include "core/client/reply.h"

#include <criterion/criterion.h>

#define LINES_MAX 4

static const struct {
        const char *octets;
        enum reply_step step; /* of the last line */
        uint16_t code;
        const char *enhanced, *text; /* of a reply; or why it is none */
} samples[] = {
    {"250 2.1.0 ok\r\n", REPLY_WHOLE, 250, "2.1.0", "ok"},
    {"250\r\n", REPLY_WHOLE, 250, "2.0.0", ""},
    {"250 \r\n", REPLY_WHOLE, 250, "2.0.0", ""},
    {"550 no\r\n", REPLY_WHOLE, 550, "5.0.0", "no"},
    {"550 5.1.1\r\n", REPLY_WHOLE, 550, "5.1.1", ""},
    {"550 5.1.1no\r\n", REPLY_WHOLE, 550, "5.0.0", "5.1.1no"},
    {"550 4.1.1 no\r\n", REPLY_WHOLE, 550, "5.0.0", "4.1.1 no"},
    {"550 5.123.456  no\r\n", REPLY_WHOLE, 550, "5.123.456", "no"},
    {"550 5.1234.1 no\r\n", REPLY_WHOLE, 550, "5.0.0", "5.1234.1 no"},
    {"550-5.1.1 a\r\n550-\r\n550 5.1.1 b\r\n", REPLY_WHOLE, 550, "5.1.1", "a b"},
    {"550-5.1.1 a\r\n550 5.2.2 b\r\n", REPLY_WHOLE, 550, "5.1.1", "a 5.2.2 b"},
    {"550-a\r\n550 5.1.1 b\r\n", REPLY_WHOLE, 550, "5.0.0", "a 5.1.1 b"},
    {"250-a\r\n250-b\r\n250-c\r\n250 d\r\n", REPLY_WHOLE, 250, "2.0.0", "a b c d"},
    {"250 t\ta\x7f\xc3\xbc\r\n", REPLY_WHOLE, 250, "2.0.0", "t?a?\xc3\xbc"},
    {"250 \xff\xe2\x80\xae.\r\n", REPLY_WHOLE, 250, "2.0.0", "??."},
    {"250-a\r\n", REPLY_LINE, 250, "2.0.0", "a"},
    {"250 a\r", REPLY_UNENDED, 0, "", ""},
    {"", REPLY_UNENDED, 0, "", ""},
    {"250-a\r\n250-b\r\n250-c\r\n250-d\r\n", REPLY_BAD, 0, "", "its reply has too many lines"},
    {"250-a\r\n251 b\r\n", REPLY_BAD, 0, "", "the code changes within its reply"},
    {"250-a\r\nb\r\n", REPLY_BAD, 0, "", "it says what is no reply"},
    {"\r\n", REPLY_BAD, 0, "", "it says what is no reply"},
    {"25\r\n", REPLY_BAD, 0, "", "it says what is no reply"},
    {"2500 a\r\n", REPLY_BAD, 0, "", "it says what is no reply"},
    {"250:a\r\n", REPLY_BAD, 0, "", "it says what is no reply"},
    {"150 a\r\n", REPLY_BAD, 0, "", "it says what is no reply"},
    {"600 a\r\n", REPLY_BAD, 0, "", "it says what is no reply"},
    {"2x0 a\r\n", REPLY_BAD, 0, "", "it says what is no reply"},
    {" 250 a\r\n", REPLY_BAD, 0, "", "it says what is no reply"},
    {"250 a\n", REPLY_BAD, 0, "", "bare LF in its reply"},
    {"250 a\rb\r\n", REPLY_BAD, 0, "", "bare CR in its reply"},
};

static enum reply_step read_all(struct span input, struct hop_answer *answer, struct span *ret_text)
{
        struct reply_reader reader = {.utf8 = true};
        enum reply_step step;

        do
                step = reply_read(&reader, LINES_MAX, &input, answer, ret_text);
        while (step == REPLY_LINE && input.length > 0);
        return step;
}

Test(reply, forms)
{
        for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
                struct hop_answer answer = {0};
                struct span text;
                enum reply_step step = read_all(span_from(samples[i].octets), &answer, &text);

                cr_expect_eq(step, samples[i].step, "%s", samples[i].octets);
                if (step == REPLY_BAD) {
                        cr_expect_str_eq(text.at, samples[i].text, "%s", samples[i].octets);
                        continue;
                }
                cr_expect_eq(answer.code, samples[i].code, "%s", samples[i].octets);
                cr_expect_str_eq(answer.enhanced, samples[i].enhanced, "%s", samples[i].octets);
                cr_expect_str_eq(answer.text, samples[i].text, "%s", samples[i].octets);
        }
}

Test(reply, nul_is_none)
{
        struct hop_answer answer = {0};
        struct span text;

        cr_expect_eq(read_all(SPAN("250 a\0b\r\n"), &answer, &text), REPLY_BAD);
        cr_expect_str_eq(text.at, "NUL in its reply");
}

/* Nobody's text makes room for more than there is, however its lines fall. */
Test(reply, text_is_cut)
{
        static char octets[2 * HOP_LINE_MAX], filler[HOP_LINE_MAX];

        memset(filler, 'x', sizeof filler);
        for (size_t length = 1; length < HOP_LINE_MAX - 8; length++) {
                struct hop_answer answer = {0};
                struct span text;
                struct text reply;

                text_over(&reply, octets, sizeof octets);
                text_put_string(&reply, "550-");
                text_put(&reply, span_of(filler, length));
                text_put_string(&reply, "\r\n550 ");
                text_put(&reply, span_of(filler, length));
                text_put_string(&reply, "\r\n");
                cr_assert_eq(read_all(text_span(&reply), &answer, &text), REPLY_WHOLE);
                size_t all = 2 * length + 1;
                cr_assert_eq(strlen(answer.text), all < HOP_ANSWER_TEXT_MAX ? all : HOP_ANSWER_TEXT_MAX - 1,
                             "%zu", length);
        }
}
