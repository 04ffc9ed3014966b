/* Choosing among records: the same ones in whatever order they come. */
#include "dns/choice.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const struct dns_record records[] = {
    {{"b", 1}, 10}, {{"a", 1}, 20}, {{"", 0}, 20}, {{"c", 1}, 10}, {{"ab", 2}, 5}, {{"a", 1}, 10},
};
#define COUNT (sizeof records / sizeof records[0])

static unsigned by_length(const struct dns_record *record, const void *context)
{
        return record->data.length == 2 ? *(const unsigned *)context : 9;
}

static void check(const struct dns_answer *answer, dns_rank *rank, size_t max, const char *expected)
{
        const struct dns_record *chosen[COUNT];
        unsigned first = 10;
        char shown[100] = "";
        size_t count = dns_choose(answer, rank, &first, chosen, max);

        cr_expect_eq(count, max < COUNT ? max : COUNT);
        for (size_t i = 0; i < count; i++)
                snprintf(shown + strlen(shown), sizeof shown - strlen(shown), "%u%.*s ",
                         chosen[i]->preference, (int)chosen[i]->data.length, chosen[i]->data.at);
        cr_expect_str_eq(shown, expected);
}

Test(choice, does_not_depend_on_the_order)
{
        for (size_t turn = 0; turn < 2 * COUNT; turn++) {
                struct dns_record turned[COUNT];
                struct dns_answer answer = {.fact = FACT_FOUND, .record_count = COUNT, .records = turned};
                for (size_t i = 0; i < COUNT; i++)
                        turned[i] =
                            records[turn < COUNT ? (i + turn) % COUNT : (2 * COUNT - i + turn) % COUNT];
                check(&answer, NULL, 3, "5ab 10a 10b ");
                check(&answer, NULL, 1, "5ab ");
                check(&answer, NULL, COUNT, "5ab 10a 10b 10c 20 20a ");
                check(&answer, by_length, 2, "20 10a ");
        }
}

Test(choice, of_nothing_is_nothing)
{
        const struct dns_record *chosen = NULL;
        cr_expect_eq(dns_choose(&(struct dns_answer){.fact = FACT_ABSENT}, NULL, NULL, &chosen, 1), 0);
        cr_expect_null(chosen);
}
