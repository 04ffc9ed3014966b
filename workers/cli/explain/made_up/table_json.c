/* The rows under names, with what each check has asked, and the options that it goes by. */
#include "workers/cli/explain/made_up/table_json.h"

#include "workers/cli/shared/told.h"

static bool is_given(const void *context, const struct dns_question *question)
{
        return given_has(context, question);
}

static void put_time(json_t *json, const char *key, uint32_t seconds)
{
        char octets[DATE_TEXT_LENGTH + 1];
        struct text text;

        text_over(&text, octets, sizeof octets);
        date_write(&text, seconds);
        text_put_char(&text, 'Z');
        told_put(json, key, text_span(&text));
}

/* What the store of senders has said. */
static void add_records(const struct table *table, json_t *facts)
{
        for (const struct sender_entry *entry = table->senders.entries; entry != NULL; entry = entry->next) {
                json_t *fact = json_object();
                told_put_text(fact, "type", "sender");
                told_put_text(fact, "state", cli_dns_fact_name(entry->fact));
                if (entry->fact == FACT_FOUND) {
                        put_time(fact, "first", entry->record.first_s);
                        put_time(fact, "last", entry->record.last_s);
                        put_time(fact, "expires", entry->record.expires_s);
                        json_object_set_new(fact, "count", json_integer(entry->record.count));
                }
                json_array_append_new(facts, fact);
        }
}

static json_t *facts_json(const struct table *table, enum check_id check)
{
        json_t *facts = sight_json(&table->rows[check].sight, is_given, &table->scene->question->given);

        if (check_infos[check].needs == NEEDS_SENDERS)
                add_records(table, facts);
        return facts;
}

/* A rule without a row of its own has refused where it decides. */
static const char *result_of(const struct table *table, enum check_id check, bool decides)
{
        const char *result = table_result(table, check);

        if (strcmp(result, "-") != 0)
                return result;
        return decides ? verdict_result_names[VERDICT_REFUSE] : "not_run";
}

static void put_verdict(json_t *json, const struct table *table, enum check_id check)
{
        const struct row *row = &table->rows[check];
        char octets[1024];
        struct text note;

        text_over(&note, octets, sizeof octets);
        table_put_note(table, check, &note);
        told_put_text(json, "check", check_infos[check].name);
        told_put_text(json, "mode", table_mode(table, check));
        told_put_text(json, "stage", stage_name(check_infos[check].stage));
        told_put(json, "evidence", row->verdict.evidence);
        told_put(json, "note", text_span(&note));
        if (row->kind == ROW_RUN && row->verdict.result != VERDICT_PASS)
                told_put_text(json, "reply", reply_infos[row->verdict.reply].name);
        json_object_set_new(json, "us", json_integer((json_int_t)row->us));
        if (check_infos[check].kind != CHECK_KIND_RULE)
                told_put_place(json, &table_settings(table)[check].place);
}

json_t *table_json(const struct table *table, const char *deciding, const struct force *force)
{
        json_t *checks = json_array();
        struct force_matter matter = {.reply = REPLY_NONE,
                                      .domain = table->domain,
                                      .settings = table->settings,
                                      .helo = table->facts.helo};

        for (enum check_id check = 0; check < CHECK_COUNT; check++) {
                json_t *json = json_object();
                bool decides = deciding != NULL && strcmp(deciding, check_infos[check].name) == 0;
                matter.check = check;
                put_verdict(json, table, check);
                told_put_text(json, "result", result_of(table, check, decides));
                json_object_set_new(json, "facts", facts_json(table, check));
                json_object_set_new(json, "settings", force_json(force, &matter));
                json_array_append_new(checks, json);
        }
        return checks;
}
