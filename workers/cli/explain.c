/* gatepost explain: what a configuration makes of a client and an envelope, check by check, and the answers
 * that a session would give; or what the log tells of a reject id or an envelope. Runs no server. */
#include "workers/cli/explain.h"

#include "conf/value/list.h"
#include "core/base/expect.h"
#include "core/smtp/command/path.h"
#include "workers/cli/explain/log.h"
#include "workers/cli/explain/made_up/made_up.h"
#include "workers/cli/message_file.h"
#include "workers/cli/usage.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define LITERAL_MAX (ADDRESS_TEXT_MAX + 10) /* with brackets and a terminator */

/* ---- command line -------------------------------------------------------------------------------------- */

const char explain_help[] =
    "usage: gatepost explain -c FILE --ip ADDRESS [--helo NAME] [--from ADDRESS] [--to ADDRESS]...\n"
    "           [--message FILE] [--tls] [--listener ADDRESS:PORT] [--ptr NAME]\n"
    "           [--fact \"NAME TYPE=VALUE\"]... [--no-dns] [--json]\n"
    "       gatepost explain -c FILE [--log FILE] [--json] ID\n"
    "       gatepost explain -c FILE [--log FILE] [--json] [--client ADDRESS|NETWORK] [--from ADDRESS]\n"
    "           [--to ADDRESS] [--since TIME]\n\n"
    "Tells of a made-up session what each check says of it, with what was seen and from which line of FILE,\n"
    "for each recipient; what it would be answered, and why; and what would decide next if that did not. Or\n"
    "tells what the log has of a reply with a reject id or of a message, in any letter case and with the "
    "reply\n"
    "around it or not; or of all mails of this client with this sender and this recipient, where \"@domain\" "
    "is anybody "
    "there,\n"
    "since a time such as 2026-11-28T16:00 (UTC) or 2h ago: the newest 100 of them, the newest first. "
    "Rotated\n"
    "logs beside the log are read too, compressed by gzip or not.\n\n"
    "Without --helo the client greets with the name of --ptr, else with its address; without --from the mail "
    "is\n"
    "a notification, from <>. --ptr is a reverse name that leads back to the client, and --fact an answer "
    "of\n"
    "DNS, such as \"example.com TXT=v=spf1 -all\", \"example.com MX=10 mx.example.com\", or \"NAME "
    "A=absent\" and\n"
    "\"NAME A=failed\"; with --no-dns nothing else is asked, and fails. Nothing is delivered, counted or\n"
    "remembered. With --json all is one JSON object, which the manual describes.\n\n"
    "Exit status: 0 explained; 1 FILE is wrong, the message cannot be read, or nothing is in the log;\n"
    "2 wrong call.\n";

/* What is missing, or NULL. */
static const char *missing(const struct question *question, const char *client)
{
        return question->configuration == NULL ? "-c FILE"
               : client == NULL ? "--ip ADDRESS, or a reject id, or --client, --from, --to or --since,"
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
        const char *client, *reverse, *listener;
        struct log_question log;
        char literal[LITERAL_MAX]; /* of the client */
        bool is_made_up;           /* by an option that a search of the log has no use for */
        char given[16];            /* the options, by their letters */
        size_t given_count;
};

static int take_message(struct call *call, const char *path)
{
        if (message_file_read(path, &call->question.message, &call->question.message_length))
                return 0;
        fprintf(stderr, "gatepost: cannot read %s: %s\n", path, strerror(errno));
        return 1;
}

/* Only recipients and facts may be several. */
static bool is_given_twice(struct call *call, int option)
{
        bool may_be_several = option == 't' || option == 'a';
        bool is_twice = !may_be_several && memchr(call->given, option, call->given_count) != NULL;

        if (!is_twice && !may_be_several && call->given_count < sizeof call->given)
                call->given[call->given_count++] = (char)option;
        return is_twice;
}

static int take_fact(struct call *call, const char *fact)
{
        const char *fault = given_add(&call->question.given, fact);
        return fault == NULL ? 0 : usage_fault(explain_help, "explain: --fact \"%s\": %s", fact, fault);
}

static int take_recipient(struct call *call, char *address)
{
        struct question *question = &call->question;

        if (question->recipient_count == EXPLAIN_RECIPIENTS_MAX)
                return usage_fault(explain_help, "explain: too many of --to");
        call->log.recipient = without_brackets(address);
        question->recipients[question->recipient_count++] = call->log.recipient;
        return 0;
}

/* Of a session that is made up. 0, or the exit status; -1 for other options. */
static int take_supposition(struct call *call, int option)
{
        switch (option) {
        case 'i':
                call->client = optarg;
                return 0;
        case 'h':
                call->question.helo = optarg;
                return 0;
        case 'm':
                return take_message(call, optarg);
        case 'p':
                call->reverse = optarg;
                return 0;
        case 'a':
                return take_fact(call, optarg);
        case 'n':
                call->question.wants_no_dns = true;
                return 0;
        case 'T':
                call->question.speaks_tls = true;
                return 0;
        case 'L':
                call->listener = optarg;
                return 0;
        }
        return -1;
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
        case 'f':
                call->log.sender = question->sender = without_brackets(optarg);
                return 0;
        case 't':
                return take_recipient(call, optarg);
        case 's':
                call->log.since = optarg;
                return 0;
        case 'C':
                call->log.client = optarg;
                return 0;
        case 'l':
                call->log.log = optarg;
                return 0;
        case 'j':
                call->log.as_json = true;
                return 0;
        }
        int status = take_supposition(call, option);
        call->is_made_up |= status == 0;
        return status != -1 ? status : usage_option_fault(explain_help, option, argv);
}

static bool is_about_log(const struct call *call)
{
        return !call->is_made_up && (call->question.configuration != NULL || call->log.log != NULL) &&
               (call->log.words != NULL || call->log.since != NULL || call->log.client != NULL ||
                call->log.sender != NULL || call->log.recipient != NULL);
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

/* The client's own literal, where nothing better is known. */
static void set_helo(struct call *call)
{
        struct text text;

        if (call->question.helo == NULL)
                call->question.helo = call->reverse;
        if (call->question.helo != NULL)
                return;
        text_over(&text, call->literal, sizeof call->literal - 1);
        text_put_char(&text, '[');
        address_write_literal(&text, &call->question.client);
        text_put_char(&text, ']');
        call->literal[text.length] = '\0';
        call->question.helo = call->literal;
}

static int ask(struct call *call)
{
        struct question *question = &call->question;
        const char *fault = call->reverse == NULL
                                ? NULL
                                : given_add_reverse(&question->given, &question->client, call->reverse);

        if (fault != NULL)
                return usage_fault(explain_help, "explain: --ptr \"%s\" %s", call->reverse, fault);
        if (call->listener != NULL && !endpoint_parse(span_from(call->listener), &question->listener))
                return usage_fault(explain_help, "explain: --listener \"%s\" is not ADDRESS:PORT",
                                   call->listener);
        set_helo(call);
        if (question->sender == NULL)
                question->sender = "";
        if (!is_path(question->sender, false))
                return usage_fault(explain_help, "explain: --from \"%s\" is no address", question->sender);
        for (size_t i = 0; i < question->recipient_count; i++)
                if (!is_path(question->recipients[i], true))
                        return usage_fault(explain_help, "explain: --to \"%s\" is no address",
                                           question->recipients[i]);
        return explain_made_up(question, call->log.as_json);
}

static int run(struct call *call)
{
        if (is_about_log(call))
                return call->question.recipient_count > 1
                           ? usage_fault(explain_help, "explain: the log is searched for one --to")
                           : explain_log(&call->log);
        if (call->is_made_up && call->log.words != NULL)
                return usage_fault(explain_help, "explain: \"%s\" is not understood", call->log.words);
        if (call->is_made_up &&
            (call->log.since != NULL || call->log.client != NULL || call->log.log != NULL))
                return usage_fault(explain_help, "explain: --client, --since and --log are for the log, and "
                                                 "not for a session that is made up");
        const char *lack = missing(&call->question, call->client);
        if (lack != NULL)
                return usage_fault(explain_help, "explain: %s is missing", lack);
        expect(call->client != NULL);
        if (!address_parse(span_from(call->client), &call->question.client))
                return usage_fault(explain_help, "explain: --ip \"%s\" is no address", call->client);
        return ask(call);
}

int explain_main(int argc, char **argv)
{
        static const struct option options[] = {
            {"config", required_argument, NULL, 'c'},   {"ip", required_argument, NULL, 'i'},
            {"helo", required_argument, NULL, 'h'},     {"from", required_argument, NULL, 'f'},
            {"to", required_argument, NULL, 't'},       {"message", required_argument, NULL, 'm'},
            {"client", required_argument, NULL, 'C'},   {"since", required_argument, NULL, 's'},
            {"log", required_argument, NULL, 'l'},      {"json", no_argument, NULL, 'j'},
            {"ptr", required_argument, NULL, 'p'},      {"fact", required_argument, NULL, 'a'},
            {"no-dns", no_argument, NULL, 'n'},         {"tls", no_argument, NULL, 'T'},
            {"listener", required_argument, NULL, 'L'}, {0}};
        struct call call = {0};
        int option, row = 0, status = 0;

        opterr = 0;
        given_begin(&call.question.given);
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
        given_end(&call.question.given);
        free(call.question.message);
        return status;
}
