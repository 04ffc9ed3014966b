/* gatepost explain: what a configuration makes of a client and an envelope, check by check, and the answers
 * that a session would give; or what the log tells of a reject id. Runs no server. */
#include "workers/cli/explain.h"

#include "conf/build/load.h"
#include "conf/value/rate.h"
#include "core/base/domain_name.h"
#include "core/base/expect.h"
#include "core/check/hooks.h"
#include "core/check/memory.h"
#include "core/check/notification.h"
#include "core/mail/message.h"
#include "core/smtp/admit.h"
#include "core/smtp/command/path.h"
#include "core/smtp/session.h"
#include "dns/clock.h"
#include "dns/pool/client.h"
#include "workers/cli/explain_dialogue.h"
#include "workers/cli/message_file.h"
#include "workers/cli/usage.h"
#include "workers/senders/access.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdlib.h>
#include <time.h>

#define ANSWER_WAIT_MS 20000

/* ---- the checks ---------------------------------------------------------------------------------------- */

static void print_row(enum check_id check, const struct check_setting *setting, const struct verdict *verdict,
                      double us)
{
        static const char *const results[] = {
            [VERDICT_PASS] = "pass", [VERDICT_REFUSE] = "refuse", [VERDICT_DEFER] = "defer"};

        printf("%-24s %-8s %-7s %6.1f us  ", check_infos[check].name,
               check_mode_name(verdict->only_observes ? CHECK_MODE_OBSERVE : setting->mode),
               results[verdict->result], us);
        if (verdict->evidence.length > 0)
                printf("%.*s  ", (int)verdict->evidence.length, verdict->evidence.at);
        if (setting->place.line > 0)
                printf("(%s:%u)\n", setting->place.file, setting->place.line);
        else
                printf("(default)\n");
}

/* What the check would count cannot be known here: only where its limits lie. */
static void print_rates(const struct question *question, const struct snapshot *snapshot)
{
        const struct check_setting *setting = &snapshot->checks[CHECK_client_rate];
        const struct options *options = &snapshot->options;
        const struct rate limits[RATE_KINDS] = {
            [RATE_CONNECTIONS] = options->client_rate_connections,
            [RATE_MESSAGES] = options->client_rate_messages,
            [RATE_RECIPIENTS] = options->client_rate_recipients,
            [RATE_UNKNOWN_RECIPIENTS] = options->client_rate_unknown_recipients,
            [RATE_ERRORS] = options->client_rate_errors,
            [RATE_TRANSACTIONS] = options->client_rate_transactions,
        };
        char octets[512];
        struct text text;

        text_over(&text, octets, sizeof octets);
        if (setting->mode != CHECK_MODE_OFF && !client_is_rated(snapshot, &question->client))
                text_put(&text, SPAN("exempt"));
        for (enum rate_kind kind = 0; kind < RATE_KINDS && client_is_rated(snapshot, &question->client);
             kind++) {
                text_put_string(&text, kind == 0 ? "" : ", ");
                text_put_string(&text, rate_kind_name(kind));
                text_put_char(&text, ' ');
                rate_write(&text, &limits[kind]);
        }
        print_row(CHECK_client_rate, setting, &(struct verdict){.evidence = text_span(&text)}, 0);
}

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

static const struct check_setting *settings_of(const struct question *question,
                                               const struct snapshot *snapshot)
{
        for (size_t i = 0; i < question->recipient_count; i++) {
                struct span recipient = span_from(question->recipients[i]);
                struct span name = span_skip(recipient, span_find_last(recipient, '@'));
                const struct domain *domain = snapshot_find_domain(snapshot, span_skip(name, 1));
                if (domain != NULL)
                        return domain->checks;
        }
        return snapshot->checks;
}

/* The mailbox and domain of the last recipient, as RCPT would find them; as given where it would not. */
static void set_recipient(const struct question *question, const struct snapshot *snapshot,
                          struct facts *facts, struct text *mailbox)
{
        if (question->recipient_count == 0)
                return;
        struct span recipient = span_from(question->recipients[question->recipient_count - 1]);
        size_t at = span_find_last(recipient, '@');
        struct span local = span_of(recipient.at, at < recipient.length ? at : recipient.length);
        facts->recipient_domain = span_skip(recipient, local.length + 1);
        const struct domain *domain = snapshot_find_domain(snapshot, facts->recipient_domain);
        if (domain != NULL)
                facts->recipient_domain = domain->name;
        bool is_known = domain != NULL && domain_find_recipient(domain, local, mailbox);
        facts->mailbox = is_known ? text_span(mailbox) : local;
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

static void print_answers(const struct memo *memo)
{
        for (const struct memo_entry *entry = memo->entries; entry != NULL; entry = entry->next)
                cli_dns_print("DNS", &entry->question, &entry->answer);
}

static void explain_checks(const struct question *question, const struct snapshot *snapshot,
                           struct session_host *host, struct cli_dns *dns)
{
        const struct check_setting *settings = settings_of(question, snapshot);
        char octets[512], domain_octets[DOMAIN_NAME_MAX], mailbox_octets[DOMAIN_NAME_MAX];
        struct text sender, domain, mailbox;
        struct sender_memo senders;
        struct recipient recipients[EXPLAIN_RECIPIENTS_MAX];
        struct check_memory memory = {0};
        struct arena arena;
        struct memo memo;

        arena_init(&arena, &host->transaction_pool, SIZE_MAX);
        memo_init(&memo, &arena, host->dns, 0, (uint32_t)snapshot->options.dns_questions_max);
        sender_memo_init(&senders, &arena, host->senders, 0);
        text_over(&sender, octets, sizeof octets);
        text_over(&mailbox, mailbox_octets, sizeof mailbox_octets);
        text_over(&domain, domain_octets, sizeof domain_octets);
        struct facts facts = facts_of(question, snapshot, &arena, &sender);
        facts.memo = &memo;
        facts.senders = &senders;
        facts.memory = &memory;
        facts.recipients = recipients_of(question, snapshot, recipients);
        set_recipient(question, snapshot, &facts, &mailbox);
        facts.wall_s = host->wall_ms / 1000;
        if (domain_name_to_ascii(facts.sender_domain, &domain) && !domain.overflowed)
                facts.sender_domain_ascii = text_span(&domain);
        read_message(question, &facts);
        if (network_list_contains(&snapshot->options.trusted_networks, &question->client))
                printf("the client is in trusted_networks: the checks below do not count\n");
        printf("%-24s %-8s %-7s %9s  %s\n", "CHECK", "MODE", "RESULT", "TIME", "EVIDENCE");
        for (enum check_id check = 0; check < CHECK_COUNT; check++) {
                struct verdict verdict;
                if (check_infos[check].kind != CHECK_KIND_PURE ||
                    (check_infos[check].stage == STAGE_DATA && question->message == NULL) ||
                    (check_infos[check].needs == NEEDS_DNS && host->dns == NULL))
                        continue;
                double before = (double)clock_monotonic_us();
                settle(&facts, check, dns, &verdict);
                print_row(check, &settings[check], &verdict, (double)clock_monotonic_us() - before);
        }
        print_rates(question, snapshot);
        print_answers(&memo);
        arena_end(&arena);
}

/* ---- both ---------------------------------------------------------------------------------------------- */

static int explain_question(const struct question *question)
{
        static char log_octets[2 * LOG_LINE_MAX];
        static struct counters counters;
        struct session_host host = {.counters = &counters, .wall_ms = clock_wall_ms(), .now_ms = 1};
        struct conf_complaints complaints = {0};
        struct snapshot *snapshot = snapshot_load(question->configuration, &complaints);

        if (complaints.text != NULL)
                fputs(complaints.text, stderr);
        conf_complaints_end(&complaints);
        if (snapshot == NULL)
                return 1;
        block_pool_init(&host.session_pool, 256, 0);
        block_pool_init(&host.transaction_pool, 4096, 0);
        content_pool_init(&host.content_pool, 0);
        text_over(&host.log, log_octets, sizeof log_octets);
        struct cli_dns dns = {0};
        const struct endpoint_list *resolvers = &snapshot->options.resolvers;
        bool has_dns = resolvers->count > 0 && cli_dns_open(&dns, resolvers->endpoints, resolvers->count);
        host.dns = has_dns ? dns.source : NULL;
        struct sender_access senders;
        bool has_store =
            snapshot->sender_store.kind != SENDER_STORE_NONE && sender_access_open(&senders, snapshot, true);
        host.senders = has_store ? &senders.source : NULL;
        explain_checks(question, snapshot, &host, &dns);
        explain_dialogue(question, snapshot, &host, &dns);
        if (has_store)
                sender_access_close(&senders);
        if (has_dns)
                cli_dns_close(&dns);
        block_pool_end(&host.session_pool);
        block_pool_end(&host.transaction_pool);
        content_pool_end(&host.content_pool);
        snapshot_free(snapshot);
        return 0;
}

/* ---- reject ids ---------------------------------------------------------------------------------------- */

static void print_session(const char *line, const char *reject_id)
{
        json_t *session = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

        if (session == NULL)
                return;
        printf("reply %s was given in this session:\n", reject_id);
        json_dumpf(session, stdout, JSON_INDENT(2));
        printf("\n");
        json_decref(session);
}

static int explain_reject_id(const char *configuration, const char *reject_id)
{
        struct conf_complaints complaints = {0};
        struct snapshot *snapshot = snapshot_load(configuration, &complaints);
        char *line = NULL;
        size_t size = 0, found = 0;

        if (snapshot == NULL && complaints.text != NULL)
                fputs(complaints.text, stderr);
        conf_complaints_end(&complaints);
        if (snapshot == NULL)
                return 1;
        FILE *log = fopen(snapshot->options.log, "r");
        if (log == NULL)
                fprintf(stderr, "gatepost: cannot read the log %s: %s\n", snapshot->options.log,
                        strerror(errno));
        while (log != NULL && getline(&line, &size, log) > 0)
                if (strstr(line, reject_id) != NULL) {
                        print_session(line, reject_id);
                        found++;
                }
        if (log != NULL && found == 0)
                fprintf(stderr, "gatepost: %s is not in %s\n", reject_id, snapshot->options.log);
        if (log != NULL)
                fclose(log);
        free(line);
        snapshot_free(snapshot);
        return found > 0 ? 0 : 1;
}

/* ---- command line -------------------------------------------------------------------------------------- */

const char explain_help[] =
    "usage: gatepost explain -c FILE --ip ADDRESS --helo NAME --from ADDRESS [--to ADDRESS]...\n"
    "           [--message FILE]\n"
    "       gatepost explain -c FILE REJECT-ID\n\n"
    "Tells what each check says of a client and an envelope, and what a session would be answered; or what "
    "the\n"
    "log has of the session that was given a reject id.\n\n"
    "Exit status: 0 explained; 1 FILE is wrong, the message cannot be read, or the id is not in the log;\n"
    "2 wrong call.\n";

/* What is missing, or NULL. */
static const char *missing(const struct question *question, const char *client)
{
        return question->configuration == NULL ? "-c FILE"
               : client == NULL                ? "--ip ADDRESS, or a reject id,"
               : question->helo == NULL        ? "--helo NAME"
               : question->sender == NULL      ? "--from ADDRESS"
                                               : NULL;
}

/* "<x@y>" and "x@y" alike */
static const char *without_brackets(char *address)
{
        size_t length = strlen(address);
        if (length < 2 || address[0] != '<' || address[length - 1] != '>')
                return address;
        address[length - 1] = '\0';
        return address + 1;
}

int explain_main(int argc, char **argv)
{
        static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                                {"ip", required_argument, NULL, 'i'},
                                                {"helo", required_argument, NULL, 'h'},
                                                {"from", required_argument, NULL, 'f'},
                                                {"to", required_argument, NULL, 't'},
                                                {"message", required_argument, NULL, 'm'},
                                                {0}};
        struct question question = {0};
        const char *client = NULL;
        bool is_readable = true;
        int option;

        opterr = 0;
        while ((option = getopt_long(argc, argv, ":c:", options, NULL)) != -1) {
                if (option == 'c')
                        question.configuration = optarg;
                else if (option == 'i')
                        client = optarg;
                else if (option == 'h')
                        question.helo = optarg;
                else if (option == 'f')
                        question.sender = without_brackets(optarg);
                else if (option == 't' && question.recipient_count < EXPLAIN_RECIPIENTS_MAX)
                        question.recipients[question.recipient_count++] = without_brackets(optarg);
                else if (option == 'm' && question.message == NULL)
                        is_readable = message_file_read(optarg, &question.message, &question.message_length);
                else if (option == 't' || option == 'm')
                        return usage_fault(explain_help, "explain: too many of %s", argv[optind - 2]);
                else
                        return usage_option_fault(explain_help, option, argv);
                if (!is_readable) {
                        fprintf(stderr, "gatepost: cannot read %s: %s\n", optarg, strerror(errno));
                        return 1;
                }
        }
        if (question.configuration != NULL && optind + 1 == argc && client == NULL)
                return explain_reject_id(question.configuration, argv[optind]);
        if (optind != argc)
                return usage_fault(explain_help, "explain: \"%s\" is not understood", argv[optind]);
        const char *lack = missing(&question, client);
        if (lack != NULL)
                return usage_fault(explain_help, "explain: %s is missing", lack);
        expect(client != NULL);
        if (!address_parse(span_from(client), &question.client))
                return usage_fault(explain_help, "explain: --ip \"%s\" is no address", client);
        int status = explain_question(&question);
        free(question.message);
        return status;
}
