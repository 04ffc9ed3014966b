/* Facts out of the command line, each check run on them, and the rows. */
#include "workers/cli/explain/made_up/table.h"

#include "conf/value/recipient/settings.h"
#include "core/base/domain_name.h"
#include "core/base/local_part.h"
#include "core/check/hooks.h"
#include "core/mail/tag.h"
#include "core/smtp/command/path.h"
#include "dns/clock.h"
#include "dns/pool/client.h"
#include "workers/cli/explain/force.h"
#include "workers/cli/explain/made_up/limits.h"

#include <stdio.h>

#define ANSWER_WAIT_MS 20000

/* ---- facts --------------------------------------------------------------------------------------------- */

static struct facts facts_of(const struct question *question, const struct snapshot *snapshot,
                             struct arena *arena, struct text *sender_octets)
{
        struct facts facts = {
            .snapshot = snapshot,
            .client = question->client,
            .helo = span_from(question->helo),
            .arena = arena,
        };
        struct path path;

        text_put_char(sender_octets, '<');
        text_put_string(sender_octets, question->sender);
        text_put_char(sender_octets, '>');
        struct span input = text_span(sender_octets);
        if (!sender_octets->overflowed &&
            path_parse(&input, true, false, snapshot->options.syntax_lenient, &path)) {
                facts.sender = path.address;
                facts.sender_is_null = path.address.length == 0;
                if (!path.domain_is_literal)
                        facts.sender_domain = path.domain;
        }
        return facts;
}

/* The mailbox and domain of the recipient, as RCPT would find them; as given where it would not. */
static void find_recipient(struct table *table, const struct path *path)
{
        const struct snapshot *snapshot = table->facts.snapshot;
        char local_octets[LOCAL_PART_MAX], name_octets[DOMAIN_NAME_MAX];
        struct text local, name;

        table->is_postmaster = path->domain.length == 0;
        if (table->is_postmaster) {
                table->domain = snapshot->postmaster_domain;
                table->is_known = table->domain != NULL;
                text_put(&table->mailbox, snapshot->postmaster_local_part);
                return;
        }
        text_over(&name, name_octets, sizeof name_octets);
        text_over(&local, local_octets, sizeof local_octets);
        if (path->domain_is_literal || !domain_name_to_ascii(path->domain, &name) || name.overflowed)
                return;
        table->domain = snapshot_find_domain(snapshot, text_span(&name));
        if (table->domain == NULL || !local_part_parse_loose(path->local_part, true, &local))
                return;
        enum recipient_answer answer = tag_find_recipient(snapshot, table->domain, text_span(&local),
                                                          &table->mailbox, NULL, &table->settings);
        table->is_known = answer == RECIPIENT_KNOWN;
        table->is_unreadable = answer == RECIPIENT_UNREADABLE;
        if (table->settings != NULL)
                recipient_settings_apply(table->settings, table->domain->checks, table->checks);
        table->is_postmaster = table->is_known && span_equals(text_span(&table->mailbox), SPAN("postmaster"));
}

static void set_recipient(struct table *table)
{
        struct facts *facts = &table->facts;
        char octets[1024];
        struct text brackets;
        struct path path;

        text_over(&brackets, octets, sizeof octets);
        text_put_char(&brackets, '<');
        text_put_string(&brackets, table->recipient);
        text_put_char(&brackets, '>');
        struct span input = text_span(&brackets);
        if (brackets.overflowed || !path_parse(&input, false, true, true, &path))
                return;
        find_recipient(table, &path);
        if (table->domain != NULL)
                facts->recipient_domain = table->domain->name;
        if (table->is_known)
                facts->mailbox = text_span(&table->mailbox);
}

/* Those at domains of ours. */
static struct recipient *recipients_of(const struct question *question, const struct snapshot *snapshot,
                                       struct recipient recipients[static EXPLAIN_RECIPIENTS_MAX])
{
        struct recipient *first = NULL, **end = &first;

        for (size_t i = 0; i < question->recipient_count; i++) {
                struct span address = span_from(question->recipients[i]);
                struct span name = span_skip(address, span_find_last(address, '@'));
                const struct domain *domain = snapshot_find_domain(snapshot, span_skip(name, 1));
                if (domain == NULL)
                        continue;
                recipients[i] = (struct recipient){.address = address, .domain = domain};
                *end = &recipients[i];
                end = &recipients[i].next;
        }
        return first;
}

/* By all checks that read texts, whatever their mode. */
static void read_message(const struct question *question, const struct facts *facts)
{
        uint64_t checks = 0;

        if (question->message == NULL)
                return;
        for (enum check_id check = 0; check < CHECK_COUNT; check++)
                if (check_infos[check].stage == STAGE_DATA)
                        checks |= check_bit(check);
        struct span message = span_of(question->message, question->message_length);
        uint64_t readers = hooks_text_begin(facts, checks);
        readers = hooks_text_read(facts, readers, message);
        hooks_text_end(facts, readers);
        struct auth_reader *reader = authorship_begin(facts);
        if (reader == NULL)
                return;
        auth_reader_read(reader, message);
        auth_reader_end(reader);
}

/* ---- running ------------------------------------------------------------------------------------------- */

/* At its own stage, and where nothing stands against the mail there, at the end of the text. */
static enum verdict_result run_check(const struct table *table, const struct facts *facts,
                                     enum check_id check, struct verdict *ret_verdict)
{
        enum verdict_result result = pipeline_check(facts, check, check_infos[check].stage, ret_verdict);

        if (result != VERDICT_PASS || table->scene->question->message == NULL)
                return result;
        return pipeline_check(facts, check, STAGE_DATA, ret_verdict);
}

/* Runs the check until all its answers are in. */
static void settle(const struct table *table, enum check_id check, struct row *row)
{
        struct memo *shared = row->sight.shared;
        struct facts facts = table->facts;

        facts.memo = &row->sight.memo;
        while (run_check(table, &facts, check, &row->verdict) == VERDICT_WAIT) {
                const struct dns_reply_message *message = cli_dns_wait(table->scene->dns, ANSWER_WAIT_MS);
                if (message != NULL)
                        memo_settle(shared, &message->question, &message->answer);
                else
                        shared->is_late = row->sight.memo.is_late = true;
        }
}

const struct check_setting *table_settings(const struct table *table)
{
        return table->settings != NULL ? table->checks : force_checks(table->facts.snapshot, table->domain);
}

static enum row_kind kind_of(const struct table *table, enum check_id check)
{
        const struct question *question = table->scene->question;

        if (check == CHECK_recipient)
                return table->recipient != NULL ? ROW_RULE : ROW_NONE;
        if (check == CHECK_client_rate)
                return table_settings(table)[check].mode == CHECK_MODE_OFF ? ROW_OFF : ROW_LIMITS;
        if (check_infos[check].kind != CHECK_KIND_PURE)
                return ROW_NONE;
        if (check_infos[check].needs == NEEDS_SENDERS &&
            table->facts.snapshot->sender_store.kind == SENDER_STORE_NONE)
                return ROW_NO_STORE;
        if (table_settings(table)[check].mode == CHECK_MODE_OFF)
                return ROW_OFF;
        if (snapshot_lacks_dns(table->facts.snapshot, check))
                return ROW_NO_RESOLVERS;
        return check_infos[check].stage == STAGE_DATA && question->message == NULL ? ROW_NO_MESSAGE : ROW_RUN;
}

/* No check waits for these any more, but what is shown of them shall be true. */
static void wait_for_rest(struct memo *memo, struct cli_dns *dns)
{
        const struct dns_reply_message *message;

        while (memo->pending > 0 && (message = cli_dns_wait(dns, ANSWER_WAIT_MS)) != NULL)
                memo_settle(memo, &message->question, &message->answer);
}

void scene_begin(struct scene *scene, const struct question *question, const struct snapshot *snapshot,
                 struct session_host *host, struct cli_dns *dns)
{
        *scene = (struct scene){.question = question, .snapshot = snapshot, .host = host, .dns = dns};
        arena_init(&scene->arena, &host->transaction_pool, SIZE_MAX);
        memo_init(&scene->memo, &scene->arena, host->dns, 0, (uint32_t)snapshot->options.dns_questions_max);
}

void scene_end(struct scene *scene)
{
        arena_end(&scene->arena);
}

static void set_facts(struct table *table, struct scene *scene, size_t recipient)
{
        struct facts *facts = &table->facts;
        struct text sender, domain;

        sender_memo_init(&table->senders, &scene->arena, scene->host->senders, 0);
        text_over(&sender, table->sender_octets, sizeof table->sender_octets);
        text_over(&table->mailbox, table->mailbox_octets, sizeof table->mailbox_octets);
        text_over(&domain, table->domain_octets, sizeof table->domain_octets);
        *facts = facts_of(scene->question, scene->snapshot, &scene->arena, &sender);
        facts->memo = &scene->memo;
        facts->senders = &table->senders;
        facts->memory = &table->memory;
        facts->recipients = recipients_of(scene->question, scene->snapshot, table->recipients);
        facts->recipients_accepted = recipient;
        facts->wall_s = scene->host->wall_ms / 1000;
        if (domain_name_to_ascii(facts->sender_domain, &domain) && !domain.overflowed)
                facts->sender_domain_ascii = text_span(&domain);
        if (table->recipient != NULL)
                set_recipient(table);
}

/* All of them ask before one of them is waited for. */
static void begin_rows(struct table *table, struct scene *scene)
{
        struct facts facts = table->facts;

        for (enum check_id check = 0; check < CHECK_COUNT; check++) {
                struct row *row = &table->rows[check];
                row->kind = kind_of(table, check);
                sight_begin(&row->sight, &scene->memo);
                facts.memo = &row->sight.memo;
                if (row->kind == ROW_RUN)
                        run_check(table, &facts, check, &row->verdict);
        }
}

void table_run(struct table *table, struct scene *scene, size_t recipient)
{
        const struct question *question = scene->question;

        *table = (struct table){.scene = scene};
        if (recipient < question->recipient_count)
                table->recipient = question->recipients[recipient];
        set_facts(table, scene, recipient);
        read_message(question, &table->facts);
        begin_rows(table, scene);
        for (enum check_id check = 0; check < CHECK_COUNT; check++) {
                struct row *row = &table->rows[check];
                double before_us = (double)clock_monotonic_us();
                if (row->kind == ROW_RUN)
                        settle(table, check, row);
                row->us = (double)clock_monotonic_us() - before_us;
        }
        wait_for_rest(&scene->memo, scene->dns);
}

const char *table_exemption(const struct table *table)
{
        if (network_list_contains(&table->facts.snapshot->options.trusted_networks, &table->facts.client))
                return "the client is in trusted_networks";
        return table->is_postmaster ? "postmaster hears everybody" : NULL;
}

/* ---- telling ------------------------------------------------------------------------------------------- */

static void put_recipient(const struct table *table, struct text *text)
{
        text_put_printable(text, span_from(table->recipient), true);
        text_put_string(text, table->domain == NULL  ? ": its domain is none of ours"
                              : table->is_known      ? " is known"
                              : table->is_unreadable ? " could not be looked up"
                                                     : " is not among the domain's recipients");
        if (table->settings == NULL)
                return;
        text_put_string(text, ", with settings of its own: ");
        text_put_printable(text, table->settings->text, true);
}

void table_put_note(const struct table *table, enum check_id check, struct text *text)
{
        switch (table->rows[check].kind) {
        case ROW_LIMITS:
                limits_put(table->facts.snapshot, &table->facts.client, text);
                break;
        case ROW_RULE:
                put_recipient(table, text);
                break;
        case ROW_NO_RESOLVERS:
                text_put_string(text, "no resolver is configured");
                break;
        case ROW_NO_STORE:
                text_put_string(text, "no sender_store is configured");
                break;
        case ROW_NO_MESSAGE:
                text_put_string(text, "looks at the text: give it with --message");
                break;
        case ROW_NONE:
        case ROW_RUN:
        case ROW_OFF:
                break;
        }
}

const char *table_result(const struct table *table, enum check_id check)
{
        const struct row *row = &table->rows[check];

        if (table_leaves(table, check))
                return table->domain->options.dmarc_quarantine == QUARANTINE_FIELD ? "mark" : "pass";
        switch (row->kind) {
        case ROW_RUN:
                return verdict_result_names[row->verdict.result];
        case ROW_RULE:
                return table->is_known ? "pass" : table->is_unreadable ? "defer" : "refuse";
        case ROW_OFF:
        case ROW_NO_RESOLVERS:
        case ROW_NO_STORE:
                return "off";
        case ROW_NONE:
        case ROW_NO_MESSAGE:
        case ROW_LIMITS:
                break;
        }
        return "-";
}

const char *table_mode(const struct table *table, enum check_id check)
{
        if (check_infos[check].kind == CHECK_KIND_RULE)
                return "always";
        return check_mode_name(table->rows[check].verdict.only_observes ? CHECK_MODE_OBSERVE
                                                                        : table_settings(table)[check].mode);
}

void table_print_place(const struct table *table, enum check_id check)
{
        const struct place *place = &table_settings(table)[check].place;

        if (check_infos[check].kind == CHECK_KIND_RULE)
                printf("(a rule)");
        else if (place->line > 0)
                printf("(%s:%u)", place->file, place->line);
        else
                printf("(default)");
}

static void print_row(const struct table *table, enum check_id check, bool decides)
{
        const struct row *row = &table->rows[check];
        char octets[2048];
        struct text told;

        if (row->kind == ROW_NONE && !decides)
                return;
        text_over(&told, octets, sizeof octets);
        table_put_note(table, check, &told);
        text_put_printable(&told, row->verdict.evidence, true);
        printf("%-24s %-8s %-7s %6.1f us  %.*s%s", check_infos[check].name, table_mode(table, check),
               row->kind == ROW_NONE ? "refuse" : table_result(table, check), row->us, (int)told.length,
               told.at, told.length > 0 ? "  " : "");
        table_print_place(table, check);
        printf(decides ? "  <== decides\n" : "\n");
        sight_print(&row->sight);
        for (const struct sender_entry *entry = table->senders.entries;
             entry != NULL && check_infos[check].needs == NEEDS_SENDERS; entry = entry->next)
                printf("  saw a record of sender_store %s\n", cli_dns_fact_name(entry->fact));
}

void table_print(const struct table *table, const char *deciding)
{
        const char *exemption = table_exemption(table);

        if (exemption != NULL)
                printf("%s: the checks below do not count\n", exemption);
        printf("%-24s %-8s %-7s %9s  %s\n", "CHECK", "MODE", "RESULT", "TIME", "EVIDENCE");
        for (enum check_id check = 0; check < CHECK_COUNT; check++)
                print_row(table, check, deciding != NULL && strcmp(deciding, check_infos[check].name) == 0);
}

void scene_print(const struct scene *scene)
{
        const struct question *question = scene->question;

        for (const struct memo_entry *entry = scene->memo.entries; entry != NULL; entry = entry->next)
                cli_dns_print(given_has(&question->given, &entry->question) ? "GIVEN" : "DNS",
                              &entry->question, &entry->answer);
}
