/* gatepost explain: what a configuration makes of a client and an envelope, check by check, and the answers
 * that a session would give; or what the log tells of a reject id or an envelope. Runs no server. */
#include "workers/cli/explain.h"

#include "conf/build/load.h"
#include "core/base/expect.h"
#include "core/smtp/command/path.h"
#include "dns/clock.h"
#include "workers/cli/explain/log.h"
#include "workers/cli/explain/story.h"
#include "workers/cli/explain/table.h"
#include "workers/cli/message_file.h"
#include "workers/cli/usage.h"
#include "workers/senders/access.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>

/* ---- a client and an envelope -------------------------------------------------------------------------- */

/* What the session's line of the log says of the last recipient. */
static struct occurrence outcome_of(const json_t *session)
{
        const json_t *transactions = json_object_get(session, "transactions");
        struct occurrence occurrence = {.session = session};
        size_t count = json_array_size(transactions);

        if (count == 0 && json_object_get(session, "reply") == NULL) {
                const json_t *faults = json_object_get(session, "syntax");
                size_t fault_count = json_array_size(faults);
                occurrence.fault = fault_count == 0 ? NULL : json_array_get(faults, fault_count - 1);
        }
        if (count == 0)
                return occurrence;
        occurrence.transaction = json_array_get(transactions, count - 1);
        const json_t *recipients = json_object_get(occurrence.transaction, "rcpts");
        if (json_object_get(occurrence.transaction, "code") == NULL && json_array_size(recipients) > 0)
                occurrence.recipient = json_array_get(recipients, json_array_size(recipients) - 1);
        return occurrence;
}

static bool is_accepted(const struct occurrence *occurrence)
{
        const char *code = json_string_value(json_object_get(occurrence->recipient, "code"));
        return code != NULL && code[0] == '2';
}

static void explain_session(const struct question *question, const struct snapshot *snapshot,
                            struct session_host *host, struct cli_dns *dns)
{
        char *transcript = NULL;
        size_t length = 0;
        struct table table;
        FILE *out = open_memstream(&transcript, &length);

        if (out == NULL)
                return;
        table_run(&table, question, snapshot, host, dns);
        bool is_taken = explain_dialogue(question, snapshot, host, dns, out);
        fclose(out);
        json_t *line = json_loadb(host->log.at, host->log.length, JSON_DISABLE_EOF_CHECK, NULL);
        struct occurrence occurrence = outcome_of(line);
        bool is_whole =
            occurrence.recipient != NULL || json_object_get(occurrence.transaction, "code") != NULL;
        table_print(&table, is_taken || line == NULL ? NULL : occurrence_check(&occurrence));
        fputs(transcript, stdout);
        if (line != NULL && (is_whole || occurrence.transaction == NULL)) {
                putchar('\n');
                story_print(&occurrence, is_taken || is_accepted(&occurrence) ? STORY_TAKEN : STORY_SUPPOSED);
        }
        json_decref(line);
        table_end(&table);
        free(transcript);
}

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
        explain_session(question, snapshot, &host, &dns);
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

/* ---- command line -------------------------------------------------------------------------------------- */

const char explain_help[] =
    "usage: gatepost explain -c FILE --ip ADDRESS --helo NAME --from ADDRESS [--to ADDRESS]...\n"
    "           [--message FILE]\n"
    "       gatepost explain -c FILE [--log FILE] ID\n"
    "       gatepost explain -c FILE [--log FILE] [--from ADDRESS] [--to ADDRESS] [--since TIME]\n\n"
    "Tells what each check says of a client and an envelope, what a session would be answered, and why; the\n"
    "checks are shown for the last recipient. Or tells what the log has of a reply with a reject id or of a\n"
    "message, in any letter case and with the reply around it or not; or of all mails with this sender and\n"
    "this recipient, where \"@domain\" is anybody there, since a time such as 2026-11-28T16:00 (UTC) or 2h\n"
    "ago: the newest 100 of them, the newest first. Rotated logs beside the log are read too, compressed by\n"
    "gzip or not.\n\n"
    "Exit status: 0 explained; 1 FILE is wrong, the message cannot be read, or nothing is in the log;\n"
    "2 wrong call.\n";

/* What is missing, or NULL. */
static const char *missing(const struct question *question, const char *client)
{
        return question->configuration == NULL ? "-c FILE"
               : client == NULL                ? "--ip ADDRESS, or a reject id, or --from, --to or --since,"
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

struct call {
        struct question question;
        const char *client;
        struct log_question log;
        char given[8]; /* the options, by their letters */
        size_t given_count;
};

static int take_message(struct call *call, const char *path)
{
        if (message_file_read(path, &call->question.message, &call->question.message_length))
                return 0;
        fprintf(stderr, "gatepost: cannot read %s: %s\n", path, strerror(errno));
        return 1;
}

/* Only recipients may be several. */
static bool is_given_twice(struct call *call, int option)
{
        bool is_twice = option != 't' && memchr(call->given, option, call->given_count) != NULL;

        if (!is_twice && option != 't' && call->given_count < sizeof call->given)
                call->given[call->given_count++] = (char)option;
        return is_twice;
}

/* 0, or the exit status. */
static int take_option(struct call *call, int option, const char *name, char **argv)
{
        struct question *question = &call->question;

        if (option != '?' && option != ':' && is_given_twice(call, option))
                return usage_fault(explain_help, "explain: --%s is given twice", name);
        switch (option) {
        case 'c':
                call->log.configuration = question->configuration = optarg;
                return 0;
        case 'i':
                call->client = optarg;
                return 0;
        case 'h':
                question->helo = optarg;
                return 0;
        case 'f':
                call->log.sender = question->sender = without_brackets(optarg);
                return 0;
        case 't':
                if (question->recipient_count == EXPLAIN_RECIPIENTS_MAX)
                        return usage_fault(explain_help, "explain: too many of --to");
                call->log.recipient = without_brackets(optarg);
                question->recipients[question->recipient_count++] = call->log.recipient;
                return 0;
        case 'm':
                return take_message(call, optarg);
        case 's':
                call->log.since = optarg;
                return 0;
        case 'l':
                call->log.log = optarg;
                return 0;
        }
        return usage_option_fault(explain_help, option, argv);
}

static bool is_about_log(const struct call *call)
{
        return call->client == NULL && call->question.helo == NULL && call->question.message == NULL &&
               (call->question.configuration != NULL || call->log.log != NULL) &&
               (call->log.words != NULL || call->log.since != NULL || call->log.sender != NULL ||
                call->log.recipient != NULL);
}

/* Lenient, for the configuration may be so; without a line's end, which would be a command of its own. */
static bool is_path(const char *address, bool is_recipient)
{
        char octets[1024];
        struct text path_octets;
        struct path path;

        text_over(&path_octets, octets, sizeof octets);
        text_put_char(&path_octets, '<');
        text_put_string(&path_octets, address);
        text_put_char(&path_octets, '>');
        struct span input = text_span(&path_octets);
        return !path_octets.overflowed && path_parse(&input, !is_recipient, is_recipient, true, &path) &&
               input.length == 0;
}

static int ask(const struct question *question)
{
        if (!is_path(question->sender, false))
                return usage_fault(explain_help, "explain: --from \"%s\" is no address", question->sender);
        for (size_t i = 0; i < question->recipient_count; i++)
                if (!is_path(question->recipients[i], true))
                        return usage_fault(explain_help, "explain: --to \"%s\" is no address",
                                           question->recipients[i]);
        return explain_question(question);
}

static int run(struct call *call)
{
        if (is_about_log(call))
                return call->question.recipient_count > 1
                           ? usage_fault(explain_help, "explain: the log is searched for one --to")
                           : explain_log(&call->log);
        if (call->log.words != NULL)
                return usage_fault(explain_help, "explain: \"%s\" is not understood", call->log.words);
        if (call->log.since != NULL || call->log.log != NULL)
                return usage_fault(explain_help, "explain: --since and --log are for the log, without --ip");
        const char *lack = missing(&call->question, call->client);
        if (lack != NULL)
                return usage_fault(explain_help, "explain: %s is missing", lack);
        expect(call->client != NULL);
        if (!address_parse(span_from(call->client), &call->question.client))
                return usage_fault(explain_help, "explain: --ip \"%s\" is no address", call->client);
        return ask(&call->question);
}

int explain_main(int argc, char **argv)
{
        static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                                {"ip", required_argument, NULL, 'i'},
                                                {"helo", required_argument, NULL, 'h'},
                                                {"from", required_argument, NULL, 'f'},
                                                {"to", required_argument, NULL, 't'},
                                                {"message", required_argument, NULL, 'm'},
                                                {"since", required_argument, NULL, 's'},
                                                {"log", required_argument, NULL, 'l'},
                                                {0}};
        struct call call = {0};
        int option, row = 0, status = 0;

        opterr = 0;
        while (status == 0 && (option = getopt_long(argc, argv, ":c:", options, &row)) != -1)
                status =
                    take_option(&call, option, option == 'c' ? options[0].name : options[row].name, argv);
        if (status == 0 && optind < argc)
                call.log.words = argv[optind++];
        if (status == 0 && optind < argc)
                status =
                    usage_fault(explain_help, "explain: \"%s\" is not understood; a reply goes into quotes",
                                argv[optind]);
        if (status == 0)
                status = run(&call);
        free(call.question.message);
        return status;
}
