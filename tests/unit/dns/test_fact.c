/* The memo: asks once, remembers, settles, keeps its quota and its deadline; names in normal form. */
#include "dns/fact.h"
#include "dns/name.h"

#include <criterion/criterion.h>

/* Knows "a.test" and lets wait whatever begins with "slow". */
struct table_source {
        struct dns_source source;
        unsigned asked;
        uint64_t handle;
        bool is_full, is_urgent;
        char name[DNS_NAME_MAX];
        size_t name_length;
};

static const struct dns_record address = {{"\300\0\2\1", 4}, 0};
static const struct dns_answer found = {
    .fact = FACT_FOUND, .ttl_s = 60, .record_count = 1, .records = &address};

static enum fact table_ask(struct dns_source *source, const struct dns_question *question,
                           const struct dns_asker *asker, struct arena *arena, struct dns_answer *ret_answer)
{
        struct table_source *table = (struct table_source *)source;

        table->asked++;
        table->handle = asker->handle;
        table->is_urgent = question->is_urgent;
        table->name_length = question->name.length;
        memcpy(table->name, question->name.at, question->name.length);
        ret_answer->is_unasked = table->is_full;
        if (table->is_full || span_starts_nocase(question->name, SPAN("slow")))
                return FACT_PENDING;
        if (span_equals(question->name, SPAN("a.test")))
                dns_answer_copy(arena, &found, ret_answer);
        else
                *ret_answer = (struct dns_answer){.fact = FACT_ABSENT, .is_nxdomain = true, .rcode = 3};
        return ret_answer->fact;
}

static struct table_source table;
static struct block_pool blocks;
static struct arena arena;
static struct memo memo;

static void memo_begin(void)
{
        table = (struct table_source){.source.ask = table_ask};
        block_pool_init(&blocks, 4096, 4);
        arena_init(&arena, &blocks, 65536);
        memo_init(&memo, &arena, &table.source, 42, 5);
}

static void memo_end(void)
{
        arena_end(&arena);
        block_pool_end(&blocks);
}

TestSuite(memo, .init = memo_begin, .fini = memo_end);

Test(memo, asks_once_whatever_the_spelling)
{
        const struct dns_answer *answer, *again;

        cr_expect_eq(memo_ask(&memo, SPAN("A.Test."), DNS_A, &answer), FACT_FOUND);
        cr_expect_eq(memo_ask(&memo, SPAN("a.test"), DNS_A, &again), FACT_FOUND);
        cr_expect_eq(answer, again);
        cr_expect_eq(answer->record_count, 1);
        cr_expect(span_equals(answer->records[0].data, address.data));
        cr_expect_eq(table.asked, 1);
        cr_expect_eq(table.handle, 42);
        cr_expect(span_equals(span_of(table.name, table.name_length), SPAN("a.test")));
        cr_expect_eq(memo_ask(&memo, SPAN("a.test"), DNS_MX, NULL), FACT_FOUND);
        cr_expect_eq(table.asked, 2);
        cr_expect_eq(memo.entries->question.type, DNS_A, "in the order of the questions");
        cr_expect_eq(memo.entries->next->question.type, DNS_MX);
}

Test(memo, pending_is_filed_once_and_settles_once)
{
        struct dns_question question = {.name = SPAN("slow.test"), .type = DNS_A},
                            other = {.name = SPAN("slow.test"), .type = DNS_MX};
        const struct dns_answer *answer;

        cr_expect_eq(memo_ask(&memo, SPAN("slow.test"), DNS_A, &answer), FACT_PENDING);
        cr_expect_eq(answer->record_count, 0);
        cr_expect_eq(memo_ask(&memo, SPAN("slow.test"), DNS_A, NULL), FACT_PENDING);
        cr_expect_eq(table.asked, 1);
        cr_expect_eq(memo.pending, 1);
        memo_settle(&memo, &other, &found);
        cr_expect_eq(memo.pending, 1);
        memo_settle(&memo, &question, &found);
        cr_expect_eq(memo.pending, 0);
        cr_expect_eq(memo_ask(&memo, SPAN("slow.test"), DNS_A, &answer), FACT_FOUND);
        cr_expect_neq(answer->records[0].data.at, address.data.at, "a copy");
        memo_settle(&memo, &question, &(struct dns_answer){.fact = FACT_FAILED});
        cr_expect_eq(memo_ask(&memo, SPAN("slow.test"), DNS_A, NULL), FACT_FOUND);
}

Test(memo, late_reads_pending_as_failed)
{
        const struct dns_answer *answer;

        memo_ask(&memo, SPAN("slow.test"), DNS_A, NULL);
        memo.is_late = true;
        cr_expect_eq(memo_ask(&memo, SPAN("slow.test"), DNS_A, &answer), FACT_FAILED);
        cr_expect_eq(answer->fact, FACT_FAILED);
        cr_expect_eq(memo_ask(&memo, SPAN("a.test"), DNS_A, NULL), FACT_FOUND);
        cr_expect_eq(memo_ask(&memo, SPAN("slow2.test"), DNS_A, NULL), FACT_FAILED);
        memo.is_late = false;
        cr_expect_eq(memo_ask(&memo, SPAN("slow.test"), DNS_A, NULL), FACT_PENDING);
}

Test(memo, another_stage_waits_anew_but_not_for_what_was_late)
{
        memo_ask(&memo, SPAN("slow.test"), DNS_A, NULL);
        memo.is_late = true;
        memo_begin_stage(&memo);
        cr_expect_eq(memo.pending, 0);
        cr_expect_eq(memo_ask(&memo, SPAN("slow.test"), DNS_A, NULL), FACT_FAILED);
        cr_expect_eq(memo_ask(&memo, SPAN("slow2.test"), DNS_A, NULL), FACT_PENDING);
        memo_begin_stage(&memo);
        cr_expect_eq(memo_ask(&memo, SPAN("slow2.test"), DNS_A, NULL), FACT_PENDING, "it was not late");
        cr_expect_eq(memo.pending, 1);
}

Test(memo, quota_fails_the_rest)
{
        char name[] = "slow0.test";

        for (int i = 0; i < 5; i++, name[4]++)
                cr_expect_eq(memo_ask(&memo, span_from(name), DNS_A, NULL), FACT_PENDING);
        cr_expect_eq(memo_ask(&memo, SPAN("a.test"), DNS_A, NULL), FACT_FAILED);
        cr_expect_eq(memo_ask(&memo, SPAN("slow0.test"), DNS_A, NULL), FACT_PENDING,
                     "what is known stays known");
        cr_expect_eq(table.asked, 5);
        cr_expect_eq(memo.pending, 5);
}

Test(memo, without_source_or_memory_all_fails)
{
        const struct dns_answer *answer;

        memo.source = NULL;
        cr_expect_eq(memo_ask(&memo, SPAN("a.test"), DNS_A, &answer), FACT_FAILED);
        arena.limit = 0;
        memo.source = &table.source;
        while (arena_take(&arena, 16) != NULL)
                ;
        cr_expect_eq(memo_ask(&memo, SPAN("b.test"), DNS_A, &answer), FACT_FAILED);
        cr_expect_eq(answer->record_count, 0);
}

#define LABEL63 "0123456789012345678901234567890123456789012345678901234567890ab"

Test(memo, names_that_cannot_be_asked_for_are_absent)
{
        static const char *const bad[] = {"",
                                          ".",
                                          "..",
                                          "a..b",
                                          ".a",
                                          "a\\b",
                                          "a\tb",
                                          "\xc3\xa9",
                                          LABEL63 "x.test",
                                          "a\x7f",
                                          LABEL63 "." LABEL63 "." LABEL63 "." LABEL63};
        const struct dns_answer *answer;

        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
                cr_expect_eq(memo_ask(&memo, span_from(bad[i]), DNS_A, &answer), FACT_ABSENT, "%s", bad[i]);
                cr_expect(answer->is_nxdomain);
        }
        cr_expect_eq(memo_ask(&memo, span_of("a\0b", 3), DNS_A, NULL), FACT_ABSENT);
        cr_expect_eq(table.asked, 0);
        cr_expect_eq(memo_ask(&memo,
                              SPAN(LABEL63 "." LABEL63 "." LABEL63
                                           ".0123456789012345678901234567890123456789012345678901234567890."),
                              DNS_A, &answer),
                     FACT_ABSENT);
        cr_expect_eq(table.asked, 1, "253 octets can be asked for");
}

Test(memo, names_from_the_wire)
{
        static const struct {
                struct span wire;
                const char *text; /* NULL: none */
        } cases[] = {
            {{"\1A\4Test\0", 8}, "a.test"},
            {{"\0", 1}, ""},
            {{"\3a.b\0", 5}, "a\\046b"},
            {{"\3a\\\0\1b\0", 7}, "a\\092\\000.b"},
            {{"\2\377 \0", 4}, "\\255 "},
            {{"\1a", 2}, NULL},
            {{"", 0}, NULL},
            {{"\1a\0x", 4}, NULL},
            {{"\5a\0", 3}, NULL},
            {{"\300\014", 2}, NULL},
        };
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                char buffer[1024];
                struct text text;
                text_over(&text, buffer, sizeof buffer);
                text_put_string(&text, "x=");
                cr_expect_eq(dns_name_from_wire(cases[i].wire, &text), cases[i].text != NULL, "%zu", i);
                cr_expect(span_equals(span_skip(text_span(&text), 2),
                                      span_from(cases[i].text == NULL ? "" : cases[i].text)),
                          "%zu: %.*s", i, (int)text.length, text.at);
        }
}

Test(memo, what_found_no_place_is_asked_again)
{
        const struct dns_answer *answer;

        table.is_full = true;
        cr_expect_eq(memo_ask(&memo, SPAN("a.test"), DNS_A, &answer), FACT_PENDING);
        cr_expect(answer->is_unasked);
        cr_expect_eq(memo_ask(&memo, SPAN("a.test"), DNS_A, NULL), FACT_PENDING);
        cr_expect_eq(memo_ask(&memo, SPAN("slow.test"), DNS_A, NULL), FACT_PENDING);
        cr_expect_eq(table.asked, 3);
        cr_expect_eq(memo.asked, 2);
        cr_expect_eq(memo.pending, 2);
        table.is_full = false;
        cr_expect_eq(memo_ask(&memo, SPAN("a.test"), DNS_A, &answer), FACT_FOUND);
        cr_expect_eq(memo_ask(&memo, SPAN("slow.test"), DNS_A, &answer), FACT_PENDING);
        cr_expect(!answer->is_unasked);
        cr_expect_eq(memo_ask(&memo, SPAN("slow.test"), DNS_A, &answer), FACT_PENDING);
        cr_expect_eq(table.asked, 5);
        cr_expect_eq(memo.asked, 2);
        cr_expect_eq(memo.pending, 1);
}

Test(memo, what_found_no_place_by_the_deadline_has_failed)
{
        table.is_full = true;
        cr_expect_eq(memo_ask(&memo, SPAN("a.test"), DNS_A, NULL), FACT_PENDING);
        memo.is_late = true;
        cr_expect_eq(memo_ask(&memo, SPAN("a.test"), DNS_A, NULL), FACT_FAILED);
        cr_expect_eq(table.asked, 1);
}

/* A client may choose names whose answers fill the memory; what lists say of it is read all the same. */
Test(memo, large_answers_leave_room_for_urgent_ones)
{
        static char octets[10000];
        const struct dns_record large = {{octets, sizeof octets}, 0};
        const struct dns_answer *answer, many = {.fact = FACT_FOUND, .record_count = 1, .records = &large};
        unsigned count = 0;

        memo.quota = 100;
        for (char name[] = "slow0.test"; name[4] <= '9'; name[4]++) {
                memo_ask(&memo, span_from(name), DNS_A, NULL);
                memo_settle(&memo, &(struct dns_question){.name = span_from(name), .type = DNS_A}, &many);
                count += memo_ask(&memo, span_from(name), DNS_A, NULL) == FACT_FOUND;
        }
        cr_expect_eq(count, 2);
        cr_expect_eq(memo.pending, 0);
        cr_expect_eq(memo_ask_urgently(&memo, SPAN("slow.list.test"), DNS_A, NULL), FACT_PENDING);
        cr_expect(table.is_urgent);
        memo_settle(&memo, &(struct dns_question){.name = SPAN("slow.list.test"), .type = DNS_A}, &many);
        cr_expect_eq(memo_ask(&memo, SPAN("slow.list.test"), DNS_A, &answer), FACT_FOUND);
        cr_expect_eq(answer->records[0].data.length, sizeof octets);
}
