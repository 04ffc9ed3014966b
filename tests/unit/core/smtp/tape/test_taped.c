/* Tapes as text: what is read of them, and what is no tape. */
#include "core/smtp/tape/taped.h"

#include <criterion/criterion.h>

#define HEAD "1,1,1767225600000,192.0.2.7,40000,198.51.100.25,25,3"

static struct block_pool pool;
static struct arena arena;
static struct taped taped;

static bool read_tape(const char *text)
{
        arena_end(&arena);
        block_pool_init(&pool, 4096, 0);
        arena_init(&arena, &pool, 1u << 18);
        return taped_read(span_from(text), &arena, &taped);
}

static void expect_text(struct span found, const char *expected)
{
        cr_expect(span_equals(found, span_from(expected)), "%.*s, expected %s", (int)found.length, found.at,
                  expected);
}

Test(taped, head)
{
        cr_assert(read_tape(HEAD));
        cr_expect_eq(taped.wall_ms, 1767225600000);
        cr_expect_eq(taped.server_port, 25);
        cr_expect(taped.had_good_history && taped.was_named);
        cr_expect_null(taped.steps->next);
        arena_end(&arena);
}

Test(taped, steps)
{
        cr_assert(read_tape(
            HEAD " a,220,banner,, r,2 c,12,MAIL%20FROM:<a%2cb@x>, x,messages "
                 "a,451,rate_messages,client_rate,1BS0T7G1VBQC"
                 " c,20,DATA, a,354,data_go_ahead,, t,82,,dmarc/ v,dmarc,refuse,dmarc,3,x.example,From%20x"
                 " a,250,accepted,, e,QUIT a,554,early_talker,early_talker,"));
        const struct taped_step *mail = taped.steps->next, *data = mail->next;
        cr_expect_eq(taped.steps->first.reply, REPLY_banner);
        expect_text(mail->line, "MAIL FROM:<a,b@x>");
        cr_expect(mail->at_ms == 12 && mail->rung == RUNG_terse, "rung %d", mail->rung);
        cr_expect_eq(mail->excesses, 1u << RATE_MESSAGES);
        cr_expect(mail->first.check == CHECK_client_rate && mail->first.code == 451);
        expect_text(mail->first.id, "1BS0T7G1VBQC");
        cr_expect(data->first.code == 354 && data->of_text.code == 250 && data->last.code == 554);
        expect_text(data->early_behind, "QUIT");
        cr_expect_null(data->early.at);
        cr_assert_not_null(data->text);
        cr_expect_eq(data->text->judged, check_bit(CHECK_dmarc));
        const struct verdict *verdict = data->text->against.first;
        cr_expect(verdict->check == CHECK_dmarc && verdict->only_observes && verdict->is_quarantine);
        arena_end(&arena);
}

Test(taped, facts)
{
        cr_assert(read_tape(
            HEAD " q,0,A,7.2.0.192.zen.example,F,7f000002,7f00000a q,1,MX,x.example,F,10:mx.x.example"
                 " q,1,TXT,y.example,N q,1,TXT,z.example,L g,1,000102030405060708090a0b0c0d0e0f,F,1,2,3,4"));
        const struct taped_question *question = taped.questions;
        cr_expect_eq(question->answer.record_count, 2);
        cr_expect_arr_eq(question->answer.records[1].data.at, "\x7f\0\0\x0a", 4);
        question = question->next;
        cr_expect(question->transaction == 1 && question->answer.records[0].preference == 10);
        expect_text(question->answer.records[0].data, "mx.x.example");
        question = question->next;
        cr_expect(question->answer.fact == FACT_ABSENT && question->answer.is_nxdomain);
        question = question->next;
        cr_expect(question->answer.fact == FACT_FAILED && question->answer.is_too_large);
        cr_expect(taped.senders->fact == FACT_FOUND && taped.senders->record.count == 4);
        arena_end(&arena);
}

Test(taped, faults)
{
        static const char *const faulty[] = {"",
                                             " ",
                                             "x",
                                             "1",
                                             "c,1,NOOP,",
                                             HEAD " " HEAD,
                                             "1,2,1767225600000,192.0.2.7,40000,198.51.100.25,25,0",
                                             "1,1,1767225600000,nobody,40000,198.51.100.25,25,0",
                                             HEAD " c,1,NOOP",
                                             HEAD " c,x,NOOP,",
                                             HEAD " c,1,NO%2,",
                                             HEAD " c,1,NO%zz,",
                                             HEAD " r,99",
                                             HEAD " x,nothing",
                                             HEAD " a,99,banner,,",
                                             HEAD " a,600,banner,,",
                                             HEAD " a,250,helo,,1BS0T7G1VBQCX",
                                             HEAD " q,0,A,x,F",
                                             HEAD " q,0,A,x,F,7f0000",
                                             HEAD " q,0,A,x,A,7f000002",
                                             HEAD " q,0,A,x,P",
                                             HEAD " q,0,ANY,x,A",
                                             HEAD " q,0,MX,x,F,mail",
                                             HEAD " v,dmarc,refuse,dmarc,0,,",
                                             HEAD " g,1,00,F,1,2,3,4",
                                             HEAD " g,1,000102030405060708090a0b0c0d0e0f,P,1,2,3,4",
                                             HEAD " u,F,1,0,0,,",
                                             HEAD " u,F,2,0,421,4.0.0,x",
                                             HEAD " u,F,0,0,550,,",
                                             HEAD "  c,1,NOOP,"};

        for (size_t i = 0; i < sizeof faulty / sizeof *faulty; i++)
                cr_expect_not(read_tape(faulty[i]), "%s", faulty[i]);
        arena_end(&arena);
}
