/* The verdicts of a table, combined again and again, each time without the one that came first. */
#include "workers/cli/explain/made_up/next.h"

#include "core/smtp/admit.h"
#include "workers/cli/shared/told.h"

#include <stdio.h>

static bool enforces(const struct table *table, enum check_id check)
{
        return table_settings(table)[check].mode == CHECK_MODE_ENFORCE;
}

/* The text of a mail is refused for all or for nobody: see stage_data(). */
static bool all_refuse(const struct table *tables, size_t table_count, enum check_id check)
{
        for (size_t i = 0; i < table_count; i++)
                if (!tables[i].is_postmaster &&
                    (!enforces(&tables[i], check) || table_leaves(&tables[i], check)))
                        return false;
        return true;
}

static bool stands_against(const struct table *tables, size_t table_count, const struct table *table,
                           enum check_id check)
{
        const struct row *row = &table->rows[check];
        bool is_of_text = check_infos[check].stage == STAGE_DATA;

        return row->kind == ROW_RUN && row->verdict.result != VERDICT_PASS && !row->verdict.only_observes &&
               (is_of_text ? all_refuse(tables, table_count, check) : enforces(table, check));
}

/* Refusals in the order of the table, then deferrals: what pipeline_combine() would find first, again and again. */
static void add_all(const struct table *table, uint64_t checks, struct next *next)
{
        struct verdict verdicts[CHECK_COUNT];
        uint64_t observed;

        while (checks != 0) {
                struct verdict_list list = {0};
                for (enum check_id check = CHECK_COUNT; check-- > 0;)
                        if (checks & check_bit(check)) {
                                verdicts[check] = table->rows[check].verdict;
                                verdicts[check].next = list.first;
                                list.first = &verdicts[check];
                        }
                struct judgement judgement = pipeline_combine(&list, 1, table_settings(table), &observed);
                if (judgement.verdict == NULL)
                        return;
                next->checks[next->count++] = judgement.verdict->check;
                checks &= ~check_bit(judgement.verdict->check);
        }
}

static bool is_unknown(const struct table *table, enum check_id check)
{
        enum row_kind kind = table->rows[check].kind;

        return enforces(table, check) &&
               (kind == ROW_NO_MESSAGE ||
                (kind == ROW_LIMITS && client_is_rated(table->facts.snapshot, &table->facts.client)));
}

void next_find(const struct table *tables, size_t table_count, size_t at, const char *deciding,
               struct next *ret_next)
{
        const struct table *table = &tables[at];
        enum check_id decided = deciding == NULL ? CHECK_COUNT : check_by_name(span_from(deciding));
        uint64_t before_text = 0, of_text = 0;

        *ret_next = (struct next){0};
        if (table->recipient != NULL && !table->is_known && decided != CHECK_recipient)
                ret_next->checks[ret_next->count++] = CHECK_recipient;
        for (enum check_id check = 0; check < CHECK_COUNT && table_exemption(table) == NULL; check++) {
                ret_next->unknown |= is_unknown(table, check) && check != decided ? check_bit(check) : 0;
                if (check == decided || !stands_against(tables, table_count, table, check))
                        continue;
                if (check_infos[check].stage == STAGE_DATA)
                        of_text |= check_bit(check);
                else
                        before_text |= check_bit(check);
        }
        add_all(table, before_text, ret_next);
        add_all(table, of_text, ret_next);
}

/* ---- telling ------------------------------------------------------------------------------------------- */

static struct span evidence_of(const struct table *table, enum check_id check, char octets[static 1024])
{
        struct text text;

        text_over(&text, octets, 1024);
        table_put_note(table, check, &text);
        text_put_printable(&text, table->rows[check].verdict.evidence, true);
        return text_span(&text);
}

static void print_one(const struct table *table, enum check_id check)
{
        char octets[1024];
        struct span evidence = evidence_of(table, check, octets);

        printf("%s would %s (%.*s) ", check_infos[check].name,
               strcmp(table_result(table, check), "defer") == 0 ? "put it off" : "refuse it",
               (int)evidence.length, evidence.at);
        table_print_place(table, check);
}

static void print_unknown(const struct table *table, const struct next *next)
{
        const char *before = "Not known here: what ";

        for (uint64_t left = next->unknown; left != 0; left &= left - 1, before = " and what ") {
                enum check_id check = (enum check_id)__builtin_ctzll(left);
                printf("%s%s would say, which %s", before, check_infos[check].name,
                       table->rows[check].kind == ROW_NO_MESSAGE ? "looks at the text (--message)"
                                                                 : "counts in the running server");
        }
        if (next->unknown != 0)
                printf(".\n");
}

void next_print(const struct table *table, const struct next *next, const char *decision)
{
        if (decision != NULL && next->count == 0)
                printf("Were %s out of the way, nothing would refuse it.\n", decision);
        if (next->count > 0 && decision != NULL)
                printf("Were %s out of the way, ", decision);
        else if (next->count > 0)
                printf("As soon as a recipient is named, ");
        for (size_t i = 0; i < next->count; i++) {
                printf("%s", i == 0 ? "" : "; then ");
                print_one(table, next->checks[i]);
        }
        if (next->count > 0)
                printf("; after that nothing would refuse it.\n");
        print_unknown(table, next);
}

static json_t *one_json(const struct table *table, enum check_id check)
{
        char octets[1024];
        json_t *one = json_object();

        told_put_text(one, "check", check_infos[check].name);
        told_put_text(one, "mode", table_mode(table, check));
        told_put_text(one, "result", table_result(table, check));
        told_put(one, "evidence", evidence_of(table, check, octets));
        if (table->rows[check].kind != ROW_RULE)
                told_put_place(one, &table_settings(table)[check].place);
        return one;
}

void next_put(json_t *object, const struct table *table, const struct next *next)
{
        json_t *checks = json_array();

        for (size_t i = 0; i < next->count; i++)
                json_array_append_new(checks, one_json(table, next->checks[i]));
        json_object_set_new(object, "next", checks);
        told_put_checks(object, "unknown", next->unknown);
}
