/* The same counts in three forms. */
#include "workers/cli/replay/result.h"

#include "workers/cli/shared/told.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define TOP_MAX 10 /* names that are printed */

/* In the order in which they matter. */
static const struct {
        enum rehearse_change change;
        const char *verb, *degree;
} changes[] = {{CHANGE_REFUSES_MORE, "refused", "more"},
               {CHANGE_REFUSES_LESS, "refused", "fewer"},
               {CHANGE_DEFERS_MORE, "deferred", "more"},
               {CHANGE_DEFERS_LESS, "deferred", "fewer"}};

/* ---- words --------------------------------------------------------------------------------------------- */

static void print_checks(const struct tally *tally, enum rehearse_change change)
{
        for (size_t check = 0; check <= CHECK_COUNT; check++)
                if (tally->by_check[check][change] > 0)
                        printf("  %-24s %10" PRIu64 "\n", tally_check_word(check),
                               tally->by_check[check][change]);
}

static void print_table(struct tally *tally, enum tally_kind kind, enum rehearse_change change)
{
        static const char *const headings[] = {[TALLY_SENDER_DOMAIN] = "top sender domains",
                                               [TALLY_CLIENT_NETWORK] = "top client networks",
                                               [TALLY_RECIPIENT_DOMAIN] = "recipient domains"};
        struct tally_table *table = &tally->tables[kind];
        size_t count = tally_sort(table, change);

        if (count == 0)
                return;
        printf("  %s:", headings[kind]);
        for (size_t i = 0; i < count && i < TOP_MAX; i++) {
                printf("%s ", i == 0 ? "" : ",");
                told_print_text(table->rows[i].name);
                printf(" %" PRIu64, table->rows[i].changes[change]);
        }
        if (count > TOP_MAX)
                printf(", and %zu others", count - TOP_MAX);
        if (table->left_out[change] > 0)
                printf(" (%" PRIu64 " under names that had no room)", table->left_out[change]);
        putchar('\n');
}

static void print_examples(const struct tally *tally, enum rehearse_change change)
{
        for (size_t i = 0; i < tally->example_count[change]; i++)
                printf("  %s%s\n", i == 0 ? "such as " : "        ", tally->examples[change][i]);
}

static void print_reasons(const struct replay_result *result)
{
        printf("unknown: %" PRIu64 " sessions need facts that the log does not have\n", result->of->unknown);
        for (size_t i = 0; i < result->of->reason_count; i++) {
                const struct rehearsal_reason *reason = &result->of->reasons[i];
                printf("  %-24s %10" PRIu64 "  ", tally_check_word(reason->check), reason->sessions);
                told_print_text(reason->zone);
                putchar('\n');
        }
}

static void print_number(const char *words, uint64_t number)
{
        if (number > 0)
                printf(", %" PRIu64 " %s", number, words);
}

void result_print(struct replay_result *result)
{
        struct tally *tally = &result->of->tally;

        printf("%" PRIu64 " sessions, %" PRIu64 " with facts", result->sessions, result->with_facts);
        print_number("whose facts were too long", result->cut + result->of->too_long);
        print_number("with pseudonyms that no key reveals", result->hidden);
        print_number("damaged", result->damaged);
        printf("\njudged by %s: %" PRIu64 " sessions, %" PRIu64 " answers, %" PRIu64 " as they were\n",
               result->configuration, result->of->judged, tally_answers(tally), tally->changes[CHANGE_NONE]);
        for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
                enum rehearse_change change = changes[i].change;
                if (tally->changes[change] == 0 && change > CHANGE_REFUSES_LESS)
                        continue;
                printf("would have %s %" PRIu64 " %s\n", changes[i].verb, tally->changes[change],
                       changes[i].degree);
                print_checks(tally, change);
                for (enum tally_kind kind = 0; kind < TALLY_KINDS; kind++)
                        print_table(tally, kind, change);
                print_examples(tally, change);
        }
        if (result->of->unknown > 0)
                print_reasons(result);
}

/* ---- JSON ---------------------------------------------------------------------------------------------- */

static json_t *table_json(struct tally_table *table, enum rehearse_change change)
{
        size_t count = tally_sort(table, change);
        json_t *rows = json_array();

        for (size_t i = 0; i < count; i++) {
                json_t *row = json_object();
                told_put_text(row, "name", table->rows[i].name);
                told_put_number(row, "count", table->rows[i].changes[change]);
                json_array_append_new(rows, row);
        }
        return rows;
}

static json_t *change_json(struct tally *tally, enum rehearse_change change)
{
        json_t *json = json_object(), *checks = json_object(), *examples = json_array(),
               *left_out = json_object();

        told_put_number(json, "count", tally->changes[change]);
        for (size_t check = 0; check <= CHECK_COUNT; check++)
                if (tally->by_check[check][change] > 0)
                        told_put_number(checks, tally_check_word(check), tally->by_check[check][change]);
        json_object_set_new(json, "checks", checks);
        for (enum tally_kind kind = 0; kind < TALLY_KINDS; kind++) {
                json_object_set_new(json, tally_kind_names[kind], table_json(&tally->tables[kind], change));
                told_put_number(left_out, tally_kind_names[kind], tally->tables[kind].left_out[change]);
        }
        json_object_set_new(json, "left_out", left_out);
        for (size_t i = 0; i < tally->example_count[change]; i++)
                json_array_append_new(examples, told_string(span_from(tally->examples[change][i])));
        json_object_set_new(json, "examples", examples);
        return json;
}

static json_t *reasons_json(const struct replay_result *result)
{
        json_t *reasons = json_array();

        for (size_t i = 0; i < result->of->reason_count; i++) {
                const struct rehearsal_reason *reason = &result->of->reasons[i];
                json_t *row = json_object();
                told_put_text(row, "check", tally_check_word(reason->check));
                told_put_text(row, "zone", reason->zone);
                told_put_number(row, "sessions", reason->sessions);
                json_array_append_new(reasons, row);
        }
        return reasons;
}

void result_print_json(struct replay_result *result)
{
        json_t *json = json_object();

        told_put_text(json, "configuration", result->configuration);
        told_put_number(json, "sessions", result->sessions);
        told_put_number(json, "with_facts", result->with_facts);
        told_put_number(json, "too_long", result->cut + result->of->too_long);
        told_put_number(json, "hidden", result->hidden);
        told_put_number(json, "damaged", result->damaged);
        told_put_number(json, "judged", result->of->judged);
        told_put_number(json, "changed", result->of->changed);
        told_put_number(json, "unknown", result->of->unknown);
        told_put_number(json, "answers", tally_answers(&result->of->tally));
        told_put_number(json, "same", result->of->tally.changes[CHANGE_NONE]);
        for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
                json_object_set_new(json, rehearse_change_names[changes[i].change],
                                    change_json(&result->of->tally, changes[i].change));
        json_object_set_new(json, "lacking", reasons_json(result));
        told_print(json);
        json_decref(json);
}

/* ---- CSV ----------------------------------------------------------------------------------------------- */

/* Strangers chose some of the names: quoted, and none that a spreadsheet takes for a formula. */
static void write_row(FILE *file, enum rehearse_change change, const char *kind, const char *name,
                      uint64_t count)
{
        fprintf(file, "%s,%s,\"%s", rehearse_change_names[change], kind,
                name[0] != '\0' && strchr("=+-@\t", name[0]) != NULL && name[1] != '\0' ? "'" : "");
        for (; *name != '\0'; name++)
                fprintf(file, *name == '"' ? "\"\"" : "%c", ascii_is_control(*name) ? '?' : *name);
        fprintf(file, "\",%" PRIu64 "\r\n", count);
}

static void write_change(struct replay_result *result, enum rehearse_change change, FILE *file)
{
        struct tally *tally = &result->of->tally;

        write_row(file, change, "all", "", tally->changes[change]);
        for (size_t check = 0; check <= CHECK_COUNT; check++)
                if (tally->by_check[check][change] > 0)
                        write_row(file, change, "check", tally_check_word(check),
                                  tally->by_check[check][change]);
        for (enum tally_kind kind = 0; kind < TALLY_KINDS; kind++) {
                size_t count = tally_sort(&tally->tables[kind], change);
                for (size_t i = 0; i < count; i++)
                        write_row(file, change, tally_kind_names[kind], tally->tables[kind].rows[i].name,
                                  tally->tables[kind].rows[i].changes[change]);
                if (tally->tables[kind].left_out[change] > 0)
                        write_row(file, change, "left_out", tally_kind_names[kind],
                                  tally->tables[kind].left_out[change]);
        }
        for (size_t i = 0; i < tally->example_count[change]; i++)
                write_row(file, change, "example", tally->examples[change][i], 1);
}

bool result_write_csv(struct replay_result *result, const char *path)
{
        bool is_standard = strcmp(path, "-") == 0;
        FILE *file = is_standard ? stdout : fopen(path, "w");

        if (file == NULL) {
                fprintf(stderr, "gatepost: cannot write %s: %s\n", path, strerror(errno));
                return false;
        }
        fputs("change,kind,name,count\r\n", file);
        write_row(file, CHANGE_NONE, "all", "", result->of->tally.changes[CHANGE_NONE]);
        for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
                write_change(result, changes[i].change, file);
        for (size_t i = 0; i < result->of->reason_count; i++) {
                char name[320];
                snprintf(name, sizeof name, "%s %s", tally_check_word(result->of->reasons[i].check),
                         result->of->reasons[i].zone);
                write_row(file, CHANGE_UNKNOWN, "lacking", name, result->of->reasons[i].sessions);
        }
        bool is_written = fflush(file) == 0 && ferror(file) == 0;
        if (!is_standard)
                is_written &= fclose(file) == 0;
        if (!is_written)
                fprintf(stderr, "gatepost: cannot write %s: %s\n", path, strerror(errno));
        return is_written;
}
