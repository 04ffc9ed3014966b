/* Facts out of the command line, each check run on them, and the rows. */
#include "workers/cli/explain/table.h"

#include "conf/value/rate.h"
#include "core/base/domain_name.h"
#include "core/check/hooks.h"
#include "core/smtp/admit.h"
#include "core/smtp/command/path.h"
#include "dns/clock.h"
#include "dns/pool/client.h"

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
            .recipients_accepted = question->recipient_count > 0 ? question->recipient_count - 1 : 0,
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

static struct span last_recipient(const struct question *question)
{
        return question->recipient_count == 0
                   ? SPAN("")
                   : span_from(question->recipients[question->recipient_count - 1]);
}

/* The mailbox and domain of the last recipient, as RCPT would find them; as given where it would not. */
static void set_recipient(struct table *table, const struct question *question)
{
        struct span recipient = last_recipient(question);
        size_t at = span_find_last(recipient, '@');
        struct span local = span_of(recipient.at, at < recipient.length ? at : recipient.length);
        struct facts *facts = &table->facts;

        if (recipient.length == 0)
                return;
        facts->recipient_domain = span_skip(recipient, local.length + 1);
        table->domain = snapshot_find_domain(facts->snapshot, facts->recipient_domain);
        if (table->domain != NULL)
                facts->recipient_domain = table->domain->name;
        table->is_known =
            table->domain != NULL && domain_find_recipient(table->domain, local, &table->mailbox);
        facts->mailbox = table->is_known ? text_span(&table->mailbox) : local;
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
        uint64_t readers = hooks_text_begin(facts, checks);
        readers = hooks_text_read(facts, readers, span_of(question->message, question->message_length));
        hooks_text_end(facts, readers);
}

/* ---- running ------------------------------------------------------------------------------------------- */

/* Runs the check until all its answers are in. */
static void settle(const struct facts *facts, enum check_id check, struct cli_dns *dns,
                   struct verdict *ret_verdict)
{
        while (pipeline_check(facts, check, ret_verdict) == VERDICT_WAIT) {
                const struct dns_reply_message *message = cli_dns_wait(dns, ANSWER_WAIT_MS);
                if (message != NULL)
                        memo_settle(facts->memo, &message->question, &message->answer);
                else
                        facts->memo->is_late = true;
        }
}

static const struct check_setting *settings_of(const struct table *table)
{
        return table->domain != NULL ? table->domain->checks : table->facts.snapshot->checks;
}

static enum row_kind kind_of(const struct table *table, const struct question *question, enum check_id check,
                             bool has_dns)
{
        if (check == CHECK_recipient)
                return question->recipient_count > 0 ? ROW_RULE : ROW_NONE;
        if (check == CHECK_client_rate)
                return settings_of(table)[check].mode == CHECK_MODE_OFF ? ROW_OFF : ROW_LIMITS;
        if (check_infos[check].kind != CHECK_KIND_PURE)
                return ROW_NONE;
        if (check_infos[check].needs == NEEDS_SENDERS &&
            table->facts.snapshot->sender_store.kind == SENDER_STORE_NONE)
                return ROW_NO_STORE;
        if (settings_of(table)[check].mode == CHECK_MODE_OFF)
                return ROW_OFF;
        if (check_infos[check].needs == NEEDS_DNS && !has_dns)
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

void table_run(struct table *table, const struct question *question, const struct snapshot *snapshot,
               struct session_host *host, struct cli_dns *dns)
{
        struct text sender, domain;

        *table = (struct table){.question = question};
        arena_init(&table->arena, &host->transaction_pool, SIZE_MAX);
        memo_init(&table->memo, &table->arena, host->dns, 0, (uint32_t)snapshot->options.dns_questions_max);
        sender_memo_init(&table->senders, &table->arena, host->senders, 0);
        text_over(&sender, table->sender_octets, sizeof table->sender_octets);
        text_over(&table->mailbox, table->mailbox_octets, sizeof table->mailbox_octets);
        text_over(&domain, table->domain_octets, sizeof table->domain_octets);
        struct facts *facts = &table->facts;
        *facts = facts_of(question, snapshot, &table->arena, &sender);
        facts->memo = &table->memo;
        facts->senders = &table->senders;
        facts->memory = &table->memory;
        facts->recipients = recipients_of(question, snapshot, table->recipients);
        set_recipient(table, question);
        facts->wall_s = host->wall_ms / 1000;
        if (domain_name_to_ascii(facts->sender_domain, &domain) && !domain.overflowed)
                facts->sender_domain_ascii = text_span(&domain);
        read_message(question, facts);
        for (enum check_id check = 0; check < CHECK_COUNT; check++) {
                struct row *row = &table->rows[check];
                row->kind = kind_of(table, question, check, host->dns != NULL);
                double before_us = (double)clock_monotonic_us();
                if (row->kind == ROW_RUN)
                        settle(facts, check, dns, &row->verdict);
                row->us = (double)clock_monotonic_us() - before_us;
        }
        if (host->dns != NULL)
                wait_for_rest(&table->memo, dns);
}

void table_end(struct table *table)
{
        arena_end(&table->arena);
}

/* ---- printing ------------------------------------------------------------------------------------------ */

static void print_evidence(struct span evidence)
{
        char octets[2048];
        struct text text;

        text_over(&text, octets, sizeof octets);
        text_put_printable(&text, evidence, true);
        if (text.length > 0)
                printf("%.*s  ", (int)text.length, text.at);
}

static void print_place(const struct check_setting *setting)
{
        if (setting->place.line > 0)
                printf("(%s:%u)", setting->place.file, setting->place.line);
        else
                printf("(default)");
}

/* What the check would count cannot be known here: only where its limits lie. */
static void print_limits(const struct table *table)
{
        const struct snapshot *snapshot = table->facts.snapshot;
        const struct options *options = &snapshot->options;
        const struct rate limits[RATE_KINDS] = {
            [RATE_CONNECTIONS] = options->client_rate_connections,
            [RATE_MESSAGES] = options->client_rate_messages,
            [RATE_RECIPIENTS] = options->client_rate_recipients,
            [RATE_UNKNOWN_RECIPIENTS] = options->client_rate_unknown_recipients,
            [RATE_ERRORS] = options->client_rate_errors,
            [RATE_TRANSACTIONS] = options->client_rate_transactions,
        };
        bool is_rated = client_is_rated(snapshot, &table->facts.client);
        char octets[512];
        struct text text;

        text_over(&text, octets, sizeof octets);
        if (!is_rated)
                text_put(&text, SPAN("exempt"));
        for (enum rate_kind kind = 0; kind < RATE_KINDS && is_rated; kind++) {
                text_put_string(&text, kind == 0 ? "" : ", ");
                text_put_string(&text, rate_kind_name(kind));
                text_put_char(&text, ' ');
                rate_write(&text, &limits[kind]);
        }
        print_evidence(text_span(&text));
}

static void print_recipient(const struct table *table)
{
        print_evidence(last_recipient(table->question));
        if (table->domain == NULL)
                printf("its domain is none of ours  ");
        else
                printf(table->is_known ? "is known  " : "is not among the domain's recipients  ");
        printf("(a rule)");
}

static const char *result_of(const struct table *table, const struct row *row)
{
        static const char *const results[] = {[VERDICT_PASS] = "pass",
                                              [VERDICT_REFUSE] = "refuse",
                                              [VERDICT_DEFER] = "defer",
                                              [VERDICT_WAIT] = "wait"};

        switch (row->kind) {
        case ROW_RUN:
                return results[row->verdict.result];
        case ROW_RULE:
                return table->is_known ? "pass" : "refuse";
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

static void print_row(const struct table *table, enum check_id check, const char *deciding)
{
        const struct check_setting *setting = &settings_of(table)[check];
        const struct row *row = &table->rows[check];
        bool decides = deciding != NULL && strcmp(deciding, check_infos[check].name) == 0;
        const char *mode =
            row->kind == ROW_RULE || row->kind == ROW_NONE ? "always" : check_mode_name(setting->mode);

        if (row->kind == ROW_NONE && !decides)
                return;
        printf("%-24s %-8s %-7s %6.1f us  ", check_infos[check].name,
               row->verdict.only_observes ? check_mode_name(CHECK_MODE_OBSERVE) : mode,
               row->kind == ROW_NONE ? "refuse" : result_of(table, row), row->us);
        if (row->kind == ROW_LIMITS)
                print_limits(table);
        if (row->kind == ROW_NO_RESOLVERS)
                printf("no resolver is configured  ");
        if (row->kind == ROW_NO_STORE)
                printf("no sender_store is configured  ");
        if (row->kind == ROW_NO_MESSAGE)
                printf("looks at the text: give it with --message  ");
        print_evidence(row->verdict.evidence);
        if (row->kind == ROW_RULE)
                print_recipient(table);
        else if (row->kind == ROW_NONE)
                printf("(a rule)");
        else
                print_place(setting);
        printf(decides ? "  <== decides\n" : "\n");
}

void table_print(const struct table *table, const char *deciding)
{
        const struct snapshot *snapshot = table->facts.snapshot;

        if (network_list_contains(&snapshot->options.trusted_networks, &table->facts.client))
                printf("the client is in trusted_networks: the checks below do not count\n");
        printf("%-24s %-8s %-7s %9s  %s\n", "CHECK", "MODE", "RESULT", "TIME", "EVIDENCE");
        for (enum check_id check = 0; check < CHECK_COUNT; check++)
                print_row(table, check, deciding);
        for (const struct memo_entry *entry = table->memo.entries; entry != NULL; entry = entry->next)
                cli_dns_print("DNS", &entry->question, &entry->answer);
}
