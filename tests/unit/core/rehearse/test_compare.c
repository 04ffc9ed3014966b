/* Two tapes of a session: what changes, whose fault that is, and how it is counted. */
#include "core/rehearse/tally.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define HEAD   "1,1,1767225600000,192.0.2.7,40000,198.51.100.25,25,0 a,220,banner,, c,0,EHLO%20x,"
#define MAIL   " a,250,helo,, c,0,MAIL%20FROM:<Carol@X.example>,"
#define OK     " a,250,sender_ok,,1BS0T7G1VBQB"
#define ALICE  " c,0,RCPT%20TO:<alice@isp.example>,"
#define BOB    " c,0,RCPT%20TO:<bob@other.example>,"
#define TAKEN  " a,250,recipient_ok,,"
#define LISTED " a,554,dnsbl,dnsbl,1BS0T7G1VBQC"
#define GREY   " a,451,greylist,greylist,1BS0T7G1VBQD"
#define OPEN   " a,451,overloaded_mail,,"
#define DATA   " c,0,DATA,"
#define TEXT   " a,354,data_go_ahead,, t,10,,"
#define STORED " a,250,accepted,,"

static struct tally tally;
static struct rehearsed last;
static struct block_pool pool;
static struct arena arena;

static void take(void *context, const struct rehearsed *rehearsed)
{
        (void)context;
        last = *rehearsed;
        tally_add(&tally, rehearsed);
}

/* `mildest` may be NULL. */
static void compare(const char *live, const char *other, const char *mildest)
{
        struct taped tapes[3];

        cr_assert(tally_begin(&tally));
        block_pool_init(&pool, 4096, 0);
        arena_init(&arena, &pool, 1u << 18);
        cr_assert(taped_read(span_from(live), &arena, &tapes[0]) &&
                  taped_read(span_from(other), &arena, &tapes[1]));
        cr_assert(mildest == NULL || taped_read(span_from(mildest), &arena, &tapes[2]));
        rehearse_compare(&tapes[0], &tapes[1], mildest == NULL ? NULL : &tapes[2], take, NULL);
}

static void expect_counts(uint64_t none, uint64_t refuses_more, uint64_t refuses_less, uint64_t defers_more,
                          uint64_t defers_less, uint64_t unknown)
{
        const uint64_t expected[REHEARSE_CHANGES] = {none,        refuses_more, refuses_less,
                                                     defers_more, defers_less,  unknown};

        for (size_t change = 0; change < REHEARSE_CHANGES; change++)
                cr_expect_eq(tally.changes[change], expected[change], "%s: %lu",
                             rehearse_change_names[change], (unsigned long)tally.changes[change]);
        tally_end(&tally);
        arena_end(&arena);
}

Test(compare, recipients)
{
        compare(HEAD MAIL OK ALICE TAKEN BOB LISTED DATA TEXT STORED,
                HEAD MAIL OK ALICE LISTED BOB TAKEN DATA TEXT STORED, NULL);
        cr_expect(span_equals(last.recipient, SPAN("bob@other.example")) &&
                  last.change == CHANGE_REFUSES_LESS);
        cr_expect_eq(tally.by_check[CHECK_dnsbl][CHANGE_REFUSES_MORE], 1u);
        cr_expect_str_eq(tally.examples[CHANGE_REFUSES_MORE][0],
                         "1BS0T7G1VBQB dnsbl Carol@X.example alice@isp.example");
        cr_expect_str_eq(tally.examples[CHANGE_REFUSES_LESS][0],
                         "1BS0T7G1VBQC dnsbl Carol@X.example bob@other.example");
        cr_expect_eq(tally_sort(&tally.tables[TALLY_SENDER_DOMAIN], CHANGE_REFUSES_MORE), 1u);
        cr_expect_str_eq(tally.tables[TALLY_SENDER_DOMAIN].rows[0].name, "x.example");
        expect_counts(0, 1, 1, 0, 0, 0);
}

Test(compare, text)
{
        compare(HEAD MAIL OK ALICE TAKEN DATA TEXT STORED,
                HEAD MAIL OK ALICE TAKEN DATA TEXT " a,550,dmarc,dmarc,1BS0T7G1VBQC", NULL);
        cr_expect_eq(last.other.check, CHECK_dmarc);
        expect_counts(0, 1, 0, 0, 0, 0);
}

Test(compare, deferrals)
{
        compare(HEAD MAIL OK ALICE TAKEN BOB GREY, HEAD MAIL OK ALICE GREY BOB TAKEN, NULL);
        expect_counts(0, 0, 0, 1, 1, 0);
        compare(HEAD MAIL OK ALICE GREY, HEAD MAIL OK ALICE LISTED, NULL);
        expect_counts(0, 1, 0, 0, 0, 0);
}

Test(compare, mail_that_was_refused_itself)
{
        compare(HEAD MAIL LISTED, HEAD MAIL OK, NULL);
        cr_expect_eq(last.matter, MATTER_MAIL);
        expect_counts(0, 0, 1, 0, 0, 0);
        /* Its recipients are told that no mail has begun: that is the mail's fault. */
        compare(HEAD MAIL OK ALICE TAKEN, HEAD MAIL LISTED ALICE " a,503,mail_first,syntax,", NULL);
        cr_expect_eq(last.other.check, CHECK_dnsbl);
        expect_counts(0, 1, 0, 0, 0, 0);
}

Test(compare, sessions)
{
        compare("1,1,1767225600000,192.0.2.7,40000,198.51.100.25,25,0 e,x "
                "a,554,early_talker,early_talker,1BS0T7G1VBQC",
                "1,1,1767225600000,192.0.2.7,40000,198.51.100.25,25,0 a,220,banner,,", NULL);
        cr_expect(last.matter == MATTER_SESSION && last.live.check == CHECK_early_talker);
        expect_counts(0, 0, 1, 0, 0, 0);
        compare(HEAD " a,250,helo,,", HEAD " a,250,helo,,", NULL);
        expect_counts(0, 0, 0, 0, 0, 0);
        /* The other session was closed before. */
        compare(HEAD MAIL OK ALICE TAKEN,
                "1,1,1767225600000,192.0.2.7,40000,198.51.100.25,25,0 a,554,early_talker,early_talker,",
                NULL);
        cr_expect_eq(last.other.check, CHECK_early_talker);
        expect_counts(0, 1, 0, 0, 0, 0);
}

Test(compare, unknown)
{
        compare(HEAD MAIL OK ALICE TAKEN, HEAD MAIL OK ALICE OPEN, NULL);
        expect_counts(0, 0, 0, 0, 0, 1);
        compare(HEAD MAIL OK ALICE TAKEN, HEAD MAIL OK ALICE OPEN, HEAD MAIL OK ALICE TAKEN);
        expect_counts(0, 0, 0, 0, 0, 1);
        compare(HEAD MAIL OK ALICE LISTED, HEAD MAIL OK ALICE OPEN, HEAD MAIL OK ALICE LISTED);
        expect_counts(1, 0, 0, 0, 0, 0);
        /* What was put off under load is so again. */
        compare(HEAD MAIL OK ALICE OPEN, HEAD MAIL OK ALICE OPEN, NULL);
        expect_counts(1, 0, 0, 0, 0, 0);
}

Test(compare, circumstances)
{
        compare(HEAD MAIL OK ALICE TAKEN DATA TEXT " a,452,storage_full,,",
                HEAD MAIL OK ALICE TAKEN DATA TEXT STORED, NULL);
        expect_counts(1, 0, 0, 0, 0, 0);
        compare(HEAD MAIL OK ALICE " a,452,memory_spent,,", HEAD MAIL OK ALICE LISTED, NULL);
        expect_counts(0, 1, 0, 0, 0, 0);
}

Test(tally, names_have_a_bound)
{
        const struct address client = {{0}};
        struct rehearsed rehearsed = {
            .client = &client,
            .live = {.check = CHECK_COUNT, .reply = REPLY_NONE},
            .other = {.check = CHECK_COUNT, .reply = REPLY_NONE, .outcome = OUTCOME_REFUSED},
            .change = CHANGE_REFUSES_MORE};
        char sender[64];

        cr_assert(tally_begin(&tally));
        for (int i = 0; i < TALLY_NAMES_MAX + 5; i++) {
                snprintf(sender, sizeof sender, "x@d%d.example", i);
                rehearsed.sender = span_from(sender);
                tally_add(&tally, &rehearsed);
        }
        rehearsed.sender = SPAN("y@D7.example");
        tally_add(&tally, &rehearsed);
        cr_expect_eq(tally.tables[TALLY_SENDER_DOMAIN].left_out[CHANGE_REFUSES_MORE], 5u);
        cr_expect_eq(tally_sort(&tally.tables[TALLY_SENDER_DOMAIN], CHANGE_REFUSES_MORE),
                     (size_t)TALLY_NAMES_MAX);
        cr_expect_str_eq(tally.tables[TALLY_SENDER_DOMAIN].rows[0].name, "d7.example");
        cr_expect_eq(tally.tables[TALLY_SENDER_DOMAIN].rows[0].changes[CHANGE_REFUSES_MORE], 2u);
        /* Whoever is told goes on counting. */
        tally_add(&tally, &rehearsed);
        cr_expect_eq(tally.tables[TALLY_SENDER_DOMAIN].rows[0].changes[CHANGE_REFUSES_MORE], 3u);
        cr_expect_eq(tally.tables[TALLY_SENDER_DOMAIN].left_out[CHANGE_REFUSES_MORE], 5u);
        tally_end(&tally);
}
