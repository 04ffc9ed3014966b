/* gatepost journal: the command line. */
#include "workers/cli/journal/journal.h"

#include "conf/build/load.h"
#include "workers/cli/journal/drop.h"
#include "workers/cli/journal/look.h"
#include "workers/cli/usage.h"
#include "workers/process/user.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define NUMBERS_MAX 10000

const char journal_help[] =
    "usage: gatepost journal list -c FILE             what waits: a line for each message\n"
    "       gatepost journal show -c FILE NUMBER...   envelopes and texts\n"
    "       gatepost journal verify -c FILE           reads all of it, and tells what is damaged\n"
    "       gatepost journal drop -c FILE NUMBER...   these are not delivered\n\n"
    "NUMBER is the first word of a line of list. A server may run meanwhile; it drops\n"
    "messages itself then, and FILE names its control socket (option `control`).\n\n"
    "Exit status: 0; 1 FILE is wrong, there is no journal, no such message, or damage; 2 wrong call.\n";

static const struct {
        const char *name;
        int (*run)(const struct options *options, const struct journal_numbers *numbers);
        bool takes_numbers;
} verbs[] = {
    {"list", journal_list, false},
    {"show", journal_show, true},
    {"verify", journal_verify, false},
    {"drop", journal_drop, true},
};

static int run(size_t verb, const char *configuration, const struct journal_numbers *numbers)
{
        struct conf_complaints complaints = {0};
        struct snapshot *snapshot = snapshot_load(configuration, &complaints);
        int status = 1;

        if (complaints.errors > 0)
                fputs(complaints.text, stderr);
        conf_complaints_end(&complaints);
        if (snapshot == NULL)
                return 1;
        if (snapshot->options.journal[0] == '\0')
                fprintf(stderr, "gatepost: %s names no journal\n", configuration);
        else if (user_become_of(snapshot->options.user))
                status = verbs[verb].run(&snapshot->options, numbers);
        snapshot_free(snapshot);
        return fflush(stdout) == 0 ? status : 1;
}

/* USAGE_STATUS for what is no number. */
static int read_numbers(char **words, int count, struct journal_numbers *ret_numbers)
{
        for (int i = 0; i < count; i++)
                if (!span_number(span_from(words[i]), &ret_numbers->at[ret_numbers->count++]))
                        return usage_fault(journal_help, "journal: \"%s\" is no number", words[i]);
        return 0;
}

static int check_words(int argc, char **argv, size_t *ret_verb)
{
        const char *word = argv[optind];

        if (word == NULL)
                return usage_fault(journal_help, "journal: list, show, verify or drop is missing");
        for (*ret_verb = 0; *ret_verb < sizeof verbs / sizeof verbs[0]; ++*ret_verb)
                if (strcmp(word, verbs[*ret_verb].name) == 0)
                        break;
        if (*ret_verb == sizeof verbs / sizeof verbs[0])
                return usage_fault(journal_help, "journal: \"%s\" is none of list, show, verify and drop",
                                   word);
        if (!verbs[*ret_verb].takes_numbers && argc > optind + 1)
                return usage_fault(journal_help, "journal: \"%s\" is not understood", argv[optind + 1]);
        return 0;
}

int journal_main(int argc, char **argv)
{
        const char *configuration = NULL;
        const struct usage_option options[] = {{"config", &configuration, NULL}, {0}};
        struct journal_numbers numbers = {0};
        size_t verb = 0;

        if (!usage_read_options(journal_help, options, NUMBERS_MAX, argc, argv))
                return USAGE_STATUS;
        int status = check_words(argc, argv, &verb);
        if (status != 0)
                return status;
        if (configuration == NULL)
                return usage_fault(journal_help, "journal: -c FILE is missing");
        int count = argc - optind - 1;
        if (verbs[verb].takes_numbers && count == 0)
                return usage_fault(journal_help, "journal: NUMBER is missing");
        numbers.configuration = configuration;
        numbers.at = calloc((size_t)count + 1, sizeof *numbers.at);
        if (numbers.at == NULL)
                return 1;
        status = read_numbers(argv + optind + 1, count, &numbers);
        if (status == 0)
                status = run(verb, configuration, &numbers);
        free(numbers.at);
        return status;
}
