/* Answers of DNS that an operator gives. */
#include "workers/cli/explain/made_up/given.h"

#include <criterion/criterion.h>

static struct given given;
static struct block_pool pool;
static struct arena arena;
static struct memo memo;

static void begin(void)
{
        block_pool_init(&pool, 4096, 0);
        arena_init(&arena, &pool, SIZE_MAX);
        given_begin(&given);
        memo_init(&memo, &arena, &given.source, 0, 100);
}

static void end(void)
{
        given_end(&given);
        arena_end(&arena);
        block_pool_end(&pool);
}

TestSuite(given, .init = begin, .fini = end);

/* Expects the fact, and the data of the record with this number. */
static void expect_record(const char *name, enum dns_type type, uint16_t number, const char *data,
                          size_t length)
{
        const struct dns_answer *answer;

        cr_assert_eq(memo_ask(&memo, span_from(name), type, &answer), FACT_FOUND, "%s", name);
        cr_assert_gt(answer->record_count, number);
        cr_expect(span_equals(answer->records[number].data, span_of(data, length)), "%s", name);
}

Test(given, records_of_each_type_are_answers)
{
        static const char *const facts[] = {
            "Example.com TXT=v=spf1 -all", "example.com MX=10 mx.example.com", "example.com MX= 20 . ",
            "mx.example.com A=192.0.2.1",  "mx.example.com AAAA=2001:db8::1",  "x.example ptr=Host.example."};

        for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
                cr_assert_null(given_add(&given, facts[i]), "%s", facts[i]);
        expect_record("example.com", DNS_TXT, 0, "v=spf1 -all", 11);
        expect_record("example.com", DNS_MX, 0, "mx.example.com", 14);
        expect_record("example.com", DNS_MX, 1, "", 0);
        expect_record("mx.example.com", DNS_A, 0, "\xc0\x00\x02\x01", 4);
        expect_record("mx.example.com", DNS_AAAA, 0, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
        expect_record("x.example", DNS_PTR, 0, "host.example", 12);
}

Test(given, absent_and_failed_are_answers_and_what_is_not_given_fails)
{
        cr_assert_null(given_add(&given, "a.example A=absent"));
        cr_assert_null(given_add(&given, "b.example A=failed"));
        cr_expect_eq(memo_ask(&memo, SPAN("a.example"), DNS_A, NULL), FACT_ABSENT);
        cr_expect_eq(memo_ask(&memo, SPAN("b.example"), DNS_A, NULL), FACT_FAILED);
        cr_expect_eq(memo_ask(&memo, SPAN("a.example"), DNS_TXT, NULL), FACT_FAILED);
        cr_expect(given_has(&given, &(struct dns_question){SPAN("a.example"), DNS_A, false}));
        cr_expect_not(given_has(&given, &(struct dns_question){SPAN("a.example"), DNS_TXT, false}));
}

static enum fact ask_behind(struct dns_source *source, const struct dns_question *question,
                            const struct dns_asker *asker, struct arena *memory,
                            struct dns_answer *ret_answer)
{
        (void)source, (void)question, (void)asker, (void)memory;
        *ret_answer = (struct dns_answer){.fact = FACT_ABSENT};
        return FACT_ABSENT;
}

Test(given, the_source_behind_is_asked_for_the_rest)
{
        struct dns_source behind = {.ask = ask_behind};

        given.behind = &behind;
        cr_assert_null(given_add(&given, "a.example A=192.0.2.1"));
        cr_expect_eq(memo_ask(&memo, SPAN("a.example"), DNS_A, NULL), FACT_FOUND);
        cr_expect_eq(memo_ask(&memo, SPAN("b.example"), DNS_A, NULL), FACT_ABSENT);
}

Test(given, a_reverse_name_leads_back)
{
        struct address client;

        cr_assert(address_parse(SPAN("192.0.2.7"), &client));
        cr_assert_null(given_add_reverse(&given, &client, "mx.example.com"));
        expect_record("7.2.0.192.in-addr.arpa", DNS_PTR, 0, "mx.example.com", 14);
        expect_record("mx.example.com", DNS_A, 0, "\xc0\x00\x02\x07", 4);
        cr_expect_not_null(given_add_reverse(&given, &client, ""));
        cr_expect_not_null(given_add_reverse(&given, &client, "."));
}

Test(given, what_is_no_fact_is_named)
{
        static const char *const wrong[] = {"",
                                            "=",
                                            "a.example",
                                            "a.example A",
                                            "a.example=192.0.2.1",
                                            "A=192.0.2.1",
                                            "a.example A=",
                                            "a.example A=2001:db8::1",
                                            "a.example AAAA=192.0.2.1",
                                            "a.example SOA=x",
                                            "a.example CNAME=b.example",
                                            "a..example A=192.0.2.1",
                                            ". A=192.0.2.1",
                                            "a.example MX=mx.example",
                                            "a.example MX=65536 mx.example",
                                            "a.example MX=10",
                                            "a.example PTR="};

        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
                cr_expect_not_null(given_add(&given, wrong[i]), "%s", wrong[i]);
        for (int i = 0; i < 32; i++)
                cr_assert_null(given_add(&given, "many.example TXT=x"));
        cr_expect_not_null(given_add(&given, "many.example TXT=x"));
}
