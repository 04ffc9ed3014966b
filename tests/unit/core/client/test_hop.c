/* Bounds of the dialogue with a next hop, and what its caller sees of them. What it says stands in
 * tests/dialogue/hop. */
#include "core/client/connection.h"
#include "core/client/text.h"
#include "core/client/transaction.h"

#include <criterion/criterion.h>

static struct hop_terms terms = {.hostname = "mx.isp.example", .protocol = HOP_LMTP};
static char out_octets[1 << 17];
static struct text out;
static struct hop hop;

static enum hop_event hear(const char *octets)
{
        struct span input = span_from(octets);
        enum hop_event event = hop_input(&hop, &input, &out);

        cr_assert_eq(input.length, 0);
        return event;
}

static void begin(void)
{
        memcpy(terms.patience_ms, hop_patience_most_ms, sizeof terms.patience_ms);
        text_over(&out, out_octets, sizeof out_octets);
        hop_begin(&hop, &terms, 1000);
        cr_assert_eq(hear("220 a\r\n"), HOP_WAITS);
        hop_sent(&hop, 0);
        cr_assert_eq(hear("250-a\r\n250 PIPELINING\r\n"), HOP_READY);
}

TestSuite(hop, .init = begin);

/* A connection costs so much, and no more comes to it. */
Test(hop, is_small)
{
        cr_expect_leq(sizeof hop, 768);
}

Test(hop, window)
{
        struct hop_sender sender = {0};
        unsigned given = 1;

        cr_assert(hop_takes_mail(&hop));
        cr_assert_eq(hop_mail(&hop, &sender, &out), HOP_FITS);
        for (; hop_takes(&hop); given++)
                cr_assert_eq(hop_recipient(&hop, SPAN("bob@isp.example"), &out), HOP_FITS);
        cr_expect_eq(given, HOP_WINDOW);
        hop_sent(&hop, 0);
        cr_expect_eq(hear("250 ok\r\n"), HOP_SENDER);
        cr_expect(hop_takes(&hop));
        hop_data(&hop, &out);
        cr_expect(!hop_takes(&hop), "nothing follows DATA");
}

Test(hop, recipients_max)
{
        struct hop_sender sender = {0};

        hop_mail(&hop, &sender, &out);
        hop_sent(&hop, 0);
        cr_assert_eq(hear("250 ok\r\n"), HOP_SENDER);
        for (uint32_t i = 0; i < HOP_RECIPIENTS_MAX; i++) {
                out.length = 0;
                cr_assert_eq(hop_recipient(&hop, SPAN("bob@isp.example"), &out), HOP_FITS);
                hop_sent(&hop, 0);
                cr_assert_eq(hear("250 ok\r\n"), HOP_RECIPIENT);
                cr_assert_eq(hop.recipient, i);
        }
        cr_expect_eq(hop_recipient(&hop, SPAN("bob@isp.example"), &out), HOP_UNFIT_COUNT);
        cr_expect_eq(hop.recipients, HOP_RECIPIENTS_MAX);
        hop_data(&hop, &out);
        hop_sent(&hop, 0);
        cr_assert_eq(hear("354 go\r\n"), HOP_GO_AHEAD);
        cr_assert(hop_dot(&hop, &out));
        hop_sent(&hop, 0);
        for (uint32_t i = 0; i < HOP_RECIPIENTS_MAX; i++) {
                cr_assert_eq(hear(i % 2 == 0 ? "250 ok\r\n" : "450 no\r\n"), HOP_SETTLED);
                cr_assert_eq(hop.recipient, i);
                cr_assert_eq(hop.fate, i % 2 == 0 ? FATE_DELIVERED : FATE_DEFERRED);
        }
        cr_expect_eq(hear(""), HOP_OVER);
        cr_expect_eq(hear(""), HOP_READY);
}

/* Commands that have been sent in part: only of the last one it is sure that it has not arrived. */
Test(hop, sent_in_part)
{
        struct hop_sender sender = {0};

        hop_mail(&hop, &sender, &out);
        hop_recipient(&hop, SPAN("bob@isp.example"), &out);
        hop_sent(&hop, 5);
        cr_expect_eq(hear("250 ok\r\n"), HOP_SENDER);
        cr_expect_eq(hear("250 ok\r\n"), HOP_SETTLED, "it cannot know that yet");
        cr_expect_eq(hop.fate, FATE_BROKEN);
        cr_expect_eq(hear(""), HOP_OVER);
        cr_expect_eq(hear(""), HOP_CLOSE);
        cr_expect_eq(hop.ending, HOP_ENDED_BY_FAULT);
        cr_expect_eq(hop.deadline_ms, UINT64_MAX);
        cr_expect_eq(hear("250 ok\r\n"), HOP_CLOSE, "it stays closed");
}

/* A call too soon changes nothing, and one too late neither. */
Test(hop, deadlines)
{
        struct span nothing = {0};

        cr_expect_eq(hop.deadline_ms, UINT64_MAX, "at rest nobody is waited for");
        hop.now_ms = 5000;
        hop_quit(&hop, &out);
        cr_expect_eq(hop.deadline_ms, 5000 + terms.patience_ms[HOP_PATIENCE_quit]);
        cr_expect_str_eq(hop_state_name(&hop), "QUIT");
        hop.now_ms = hop.deadline_ms - 1;
        cr_expect_eq(hop_timeout(&hop, &out), HOP_WAITS);
        hop.now_ms++;
        cr_expect_eq(hop_timeout(&hop, &out), HOP_CLOSE);
        cr_expect_eq(hop_timeout(&hop, &out), HOP_CLOSE);
        cr_expect_eq(hop_lost(&hop, &out), HOP_CLOSE);
        cr_expect_eq(hop_input(&hop, &nothing, &out), HOP_CLOSE);
        cr_expect_eq(hop.ending, HOP_ENDED_BY_QUIT);
        cr_expect_str_eq(hop_state_name(&hop), "CLOSED");
        hop_abandon(&hop);
        cr_expect(!hop_is_ready(&hop) && !hop_takes(&hop) && !hop_takes_mail(&hop) && !hop_is_texting(&hop));
}

/* It has begun to speak unasked, which its caller may see too late: nothing is said then, and nothing breaks. */
Test(hop, unready)
{
        struct hop_sender sender = {0};
        struct span text = SPAN("a\r\n");

        cr_assert_eq(hear(""), HOP_WAITS);
        out.length = 0;
        struct span partial = SPAN("2");
        cr_assert_eq(hop_input(&hop, &partial, &out), HOP_WAITS);
        cr_expect(!hop_is_ready(&hop));
        cr_expect_eq(hop_mail(&hop, &sender, &out), HOP_UNREADY);
        cr_expect_eq(hop_recipient(&hop, SPAN("bob@isp.example"), &out), HOP_UNREADY);
        hop_data(&hop, &out);
        hop_text(&hop, &text, &out);
        cr_expect(!hop_dot(&hop, &out));
        hop_quit(&hop, &out);
        hop_abandon(&hop);
        cr_expect_eq(hop_secured(&hop, &out), HOP_WAITS);
        cr_expect_eq(hop_handshake_failed(&hop, "", &out), HOP_WAITS);
        cr_expect_eq(out.length, 0);
        cr_expect_eq(hop_lost(&hop, &out), HOP_CLOSE);
}

static void begin_text(void)
{
        struct hop_sender sender = {0};

        hop_mail(&hop, &sender, &out);
        hop_recipient(&hop, SPAN("bob@isp.example"), &out);
        hop_data(&hop, &out);
        hop_sent(&hop, 0);
        cr_assert_eq(hear("250 ok\r\n"), HOP_SENDER);
        cr_assert_eq(hear("250 ok\r\n"), HOP_RECIPIENT);
        cr_assert_eq(hear("354 go\r\n"), HOP_GO_AHEAD);
}

/* As long as it takes octets it has time; and the time for its answer begins when it has the dot. */
Test(hop, octets_go_slowly)
{
        struct span text = SPAN("a\r\n");

        begin_text();
        terms.patience_ms[HOP_PATIENCE_dot] = 300000;
        uint64_t whole_ms = hop.now_ms + terms.patience_ms[HOP_PATIENCE_transaction];
        cr_expect_eq(hop.deadline_ms, whole_ms, "nothing waits to be sent");
        hop_text(&hop, &text, &out);
        cr_expect_eq(hop.deadline_ms, hop.now_ms + terms.patience_ms[HOP_PATIENCE_block]);
        hop.now_ms += 1000;
        hop_sent(&hop, 1);
        cr_expect_eq(hop.deadline_ms, hop.now_ms + terms.patience_ms[HOP_PATIENCE_block]);
        cr_assert(hop_dot(&hop, &out));
        cr_expect_eq(hop.deadline_ms, hop.now_ms + terms.patience_ms[HOP_PATIENCE_dot]);
        uint64_t answers_ms = hop.now_ms + terms.patience_ms[HOP_PATIENCE_answers];
        hop.now_ms += 1000;
        hop_sent(&hop, 1);
        cr_expect_eq(hop.deadline_ms, hop.now_ms + terms.patience_ms[HOP_PATIENCE_dot]);
        hop.now_ms += 290000;
        hop_sent(&hop, 0);
        cr_expect_eq(hop.deadline_ms, answers_ms, "our client waits since the dot was given");
}

/* Fates that nobody has asked for yet are not changed by what happens next. */
Test(hop, a_fate_stands)
{
        begin_text();
        hop_dot(&hop, &out);
        hop_sent(&hop, 0);
        cr_expect_eq(hear("250 2.0.0 stored\r\n"), HOP_SETTLED);
        cr_expect_eq(hop.fate, FATE_DELIVERED);
        hop.now_ms += 1000000000;
        cr_expect_eq(hop_lost(&hop, &out), HOP_OVER);
        cr_expect_eq(hop.fate, FATE_DELIVERED);
        cr_expect_eq(hop_timeout(&hop, &out), HOP_CLOSE);
}
