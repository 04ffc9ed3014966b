/* The command line of what concerns pseudonyms in the log. */
#include "workers/cli/log/log.h"

#include "conf/build/load.h"
#include "conf/build/log_keys.h"
#include "workers/cli/log/new_key.h"
#include "workers/cli/log/pseudonymise.h"
#include "workers/cli/log/reveal.h"
#include "workers/cli/usage.h"
#include "workers/process/user.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

const char log_help[] =
    "usage: gatepost log reveal -c FILE | --key-file KEYS [--address ADDRESS | --mailbox ADDRESS] [LOG]...\n"
    "       gatepost log pseudonymise -c FILE [LOG]...\n"
    "       gatepost log new-key -c FILE\n\n"
    "Handles pseudonyms in the log by the keys of log_pseudonym_key_file.\n"
    "reveal         prints lines of logs, compressed by gzip or not, or of standard input, with what their\n"
    "               pseudonyms stand for; only those with an address or a mailbox where one is given\n"
    "pseudonymise   rewrites logs that are not written to any more, each at once and as a whole; without "
    "LOG\n"
    "               what rotations have made of the log and is older than log_pseudonymise_after\n"
    "new-key        adds a key when log_pseudonym_period is over, or the first one, and takes the oldest "
    "away\n"
    "               when there are more than log_pseudonym_keys\n\n"
    "Exit status: 0; 1 it was not done for some file, FILE is wrong, or no line has the address; 2 wrong\n"
    "call.\n";

struct call {
        const char *verb, *configuration, *key_file, *address, *mailbox;
        char spelt[ADDRESS_TEXT_MAX + 1]; /* what `address` points to */
        char **words;
        int word_count;
        struct snapshot *snapshot; /* NULL: no configuration was given */
};

/* As the configuration has it where no file was given. NULL, and told, when there is none, or it cannot be read. */
static struct pseudonym_keys *read_keys(const struct call *call)
{
        const char *path =
            call->key_file != NULL ? call->key_file : call->snapshot->options.log_pseudonym_key_file;
        struct pseudonym_keys *keys = calloc(1, sizeof *keys);
        struct conf_complaints complaints = {0};

        if (path[0] == '\0')
                fputs("gatepost: log_pseudonym_key_file is not set\n", stderr);
        if (keys != NULL && path[0] != '\0' &&
            log_keys_read(keys, path, &(struct place){path, 0}, &complaints))
                return keys;
        if (complaints.text != NULL)
                fputs(complaints.text, stderr);
        conf_complaints_end(&complaints);
        free(keys);
        return NULL;
}

static int reveal(const struct call *call)
{
        struct pseudonym_keys *keys = read_keys(call);
        const char *names = call->address != NULL ? call->address : call->mailbox;
        int status = keys == NULL ? 1 : log_reveal(keys, names, call->words, call->word_count);

        free(keys);
        return status;
}

/* A site that wants no pseudonyms has no key, and the timer nothing to do. */
static bool is_unwanted(const struct call *call)
{
        const struct options *options = &call->snapshot->options;
        const char *reason = options->log_pseudonym_key_file[0] == '\0' ? "log_pseudonym_key_file is not set"
                             : call->word_count > 0                     ? NULL
                             : options->log_pseudonymise_after_ms == 0  ? "log_pseudonymise_after is 0"
                             : strcmp(options->log, "stderr") == 0      ? "the log is no file"
                                                                        : NULL;

        if (reason != NULL)
                printf("nothing to do: %s\n", reason);
        return reason != NULL;
}

static int pseudonymise(const struct call *call)
{
        const struct options *options = &call->snapshot->options;

        if (call->word_count == 0 && is_unwanted(call))
                return 0;
        struct pseudonym_keys *keys = read_keys(call);
        const struct log_privacy privacy = {keys, (uint8_t)options->log_prefix4,
                                            (uint8_t)options->log_prefix6};
        int status = keys == NULL ? 1
                     : call->word_count == 0
                         ? log_pseudonymise_old(call->snapshot, &privacy)
                         : log_pseudonymise_files(call->snapshot, &privacy, call->words, call->word_count);
        free(keys);
        return status;
}

static int new_key(const struct call *call)
{
        const struct options *options = &call->snapshot->options;
        const struct new_key_wish wish = {
            .path = options->log_pseudonym_key_file,
            .period_ms = options->log_pseudonym_period_ms,
            .kept = options->log_pseudonym_keys,
        };

        if (wish.path[0] != '\0')
                return new_key_add(&wish) ? 0 : 1;
        printf("nothing to do: log_pseudonym_key_file is not set\n");
        return 0;
}

static const struct verb {
        const char *name;
        int (*run)(const struct call *call);
        int words_max;
        bool takes_key_file; /* in the place of a configuration, and what is looked for */
} verbs[] = {
    {"reveal", reveal, INT_MAX, true},
    {"pseudonymise", pseudonymise, INT_MAX, false},
    {"new-key", new_key, 0, false},
};

/* Keys that are missing must not keep anybody from making them. */
static struct snapshot *load(const struct verb *verb, const char *path)
{
        struct conf_complaints complaints = {0};
        bool may_be_faulty = verb->run == new_key;
        struct snapshot *snapshot =
            may_be_faulty ? snapshot_load_faulty(path, &complaints) : snapshot_load(path, &complaints);

        if (snapshot == NULL && complaints.text != NULL)
                fputs(complaints.text, stderr);
        conf_complaints_end(&complaints);
        return snapshot;
}

static int run(const struct verb *verb, struct call *call)
{
        int status = 1;

        if (call->configuration != NULL && (call->snapshot = load(verb, call->configuration)) == NULL)
                return 1;
        /* Files that root makes would be closed to the server; and no link of somebody else's leads root elsewhere. */
        if (call->snapshot == NULL || user_become_of(call->snapshot->options.user))
                status = verb->run(call);
        if (call->snapshot != NULL)
                snapshot_free(call->snapshot);
        return status;
}

/* As the log spells it. */
static bool spell(struct call *call)
{
        struct address address;

        if (!address_parse(span_from(call->address), &address))
                return false;
        address_write_string(&address, call->spelt);
        call->address = call->spelt;
        return true;
}

int log_main(int argc, char **argv)
{
        struct call call = {0};
        const struct usage_option options[] = {{"config", &call.configuration, NULL},
                                               {"key-file", &call.key_file, NULL},
                                               {"address", &call.address, NULL},
                                               {"mailbox", &call.mailbox, NULL},
                                               {0}};
        const struct verb *verb = NULL;

        for (size_t i = 0; argc > 1 && i < sizeof verbs / sizeof *verbs; i++)
                if (strcmp(argv[1], verbs[i].name) == 0)
                        verb = &verbs[i];
        if (verb == NULL)
                return usage_fault(log_help, "log: reveal, pseudonymise or new-key is missing");
        if (!usage_read_options(log_help, options, verb->words_max, argc - 1, argv + 1))
                return USAGE_STATUS;
        call.words = argv + 1 + optind;
        call.word_count = argc - 1 - optind;
        if (call.configuration == NULL && (!verb->takes_key_file || call.key_file == NULL))
                return usage_fault(log_help, "log: -c FILE is missing");
        if (!verb->takes_key_file && (call.key_file != NULL || call.address != NULL || call.mailbox != NULL))
                return usage_fault(log_help, "log: --key-file, --address and --mailbox are for reveal");
        if (call.address != NULL && call.mailbox != NULL)
                return usage_fault(log_help, "log: needs one of --address and --mailbox");
        if (call.address != NULL && !spell(&call))
                return usage_fault(log_help, "log: --address \"%s\" is no address", call.address);
        return run(verb, &call);
}
