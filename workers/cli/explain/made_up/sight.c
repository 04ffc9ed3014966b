/* A source that asks the memo of all. */
#include "workers/cli/explain/made_up/sight.h"

#include "workers/cli/dns.h"
#include "workers/cli/shared/told.h"

#include <stdio.h>

#define RECORD_MAX 1024 /* octets of one that are told */

static enum fact look(struct memo *memo, const struct dns_question *question,
                      const struct dns_answer **ret_answer)
{
        return question->is_urgent ? memo_ask_urgently(memo, question->name, question->type, ret_answer)
                                   : memo_ask(memo, question->name, question->type, ret_answer);
}

/* What is pending there is not filed here: the check asks again when it runs again. */
static enum fact ask(struct dns_source *source, const struct dns_question *question,
                     const struct dns_asker *asker, struct arena *arena, struct dns_answer *ret_answer)
{
        const struct sight *sight = (const struct sight *)source;
        const struct dns_answer *answer;
        enum fact fact = look(sight->shared, question, &answer);

        (void)asker, (void)arena;
        *ret_answer = fact == FACT_PENDING ? (struct dns_answer){.fact = fact, .is_unasked = true} : *answer;
        return fact;
}

void sight_begin(struct sight *sight, struct memo *shared)
{
        *sight = (struct sight){.source.ask = ask, .shared = shared};
        memo_init(&sight->memo, shared->arena, shared->source == NULL ? NULL : &sight->source, 0, UINT32_MAX);
}

/* What a list from files has answered is known here alone, and nobody asks DNS for it. */
static enum fact seen(const struct sight *sight, const struct memo_entry *entry,
                      const struct dns_answer **ret_answer)
{
        if (entry->answer.fact == FACT_PENDING)
                return look(sight->shared, &entry->question, ret_answer);
        *ret_answer = &entry->answer;
        return entry->answer.fact;
}

void sight_print(const struct sight *sight)
{
        const struct dns_answer *answer;

        for (const struct memo_entry *entry = sight->memo.entries; entry != NULL; entry = entry->next)
                printf("%s%.*s %s %s", entry == sight->memo.entries ? "  saw " : ", ",
                       (int)entry->question.name.length, entry->question.name.at,
                       dns_type_name(entry->question.type), cli_dns_fact_name(seen(sight, entry, &answer)));
        if (sight->memo.entries != NULL)
                putchar('\n');
}

static json_t *records_json(enum dns_type type, const struct dns_answer *answer)
{
        json_t *records = json_array();
        char octets[RECORD_MAX];
        struct text text;

        for (uint16_t i = 0; i < answer->record_count; i++) {
                text_over(&text, octets, sizeof octets);
                cli_dns_put_record(&text, type, &answer->records[i]);
                json_array_append_new(records, told_string(text_span(&text)));
        }
        return records;
}

static json_t *fact_json(const struct sight *sight, const struct memo_entry *entry, bool is_given)
{
        const struct dns_question *question = &entry->question;
        const struct dns_answer *answer;
        enum fact fact = seen(sight, entry, &answer);
        json_t *json = json_object();

        told_put(json, "name", question->name);
        told_put_text(json, "type", dns_type_name(question->type));
        told_put_text(json, "state", cli_dns_fact_name(fact));
        json_object_set_new(json, "records", records_json(question->type, answer));
        json_object_set_new(json, "ttl", json_integer(answer->ttl_s));
        json_object_set_new(json, "ms", json_integer(answer->took_ms));
        if (is_given)
                json_object_set_new(json, "given", json_true());
        return json;
}

json_t *sight_json(const struct sight *sight, sight_given *is_given, const void *context)
{
        json_t *facts = json_array();

        for (const struct memo_entry *entry = sight->memo.entries; entry != NULL; entry = entry->next)
                json_array_append_new(facts, fact_json(sight, entry, is_given(context, &entry->question)));
        return facts;
}
