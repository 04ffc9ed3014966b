/* Building a file of recipients, with a bar that shows how far it is. */
#include "workers/cli/recipients/recipients.h"

#include "conf/recipients/build/build.h"
#include "core/base/domain_name.h"
#include "workers/cli/files/progress.h"
#include "workers/cli/files/same.h"
#include "workers/cli/usage.h"

#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char recipients_help[] =
    "usage: gatepost recipients build FILE|- --out DB [--domain NAME] [--exact] [--memory SIZE]\n\n"
    "Makes the file DB for the option recipients = \"lmdb:DB\". FILE, or - for standard input, has one "
    "address\n"
    "a line, of any number of domains, in any order; # begins a comment. All lines are sorted by sort(1), in "
    "files\n"
    "beside DB. DB is replaced at once when all is done, and not where a line is wrong. SIGHUP lets a server "
    "take it.\n"
    "  --domain NAME   lines that are local parts alone are in this domain\n"
    "  --exact         letter case of local parts matters, as with local_part_case = exact\n"
    "  --memory SIZE   for sorting, such as 512M; by default 128M\n\n"
    "Exit status: 0; 1 nothing was replaced; 2 wrong call.\n";

static int run(struct recipient_build *build)
{
        struct conf_complaints complaints = {0};

        signal(SIGPIPE, SIG_IGN); /* sort may end early */
        if (isatty(STDERR_FILENO))
                build->progress = progress_show;
        bool is_built = recipients_build(build, &complaints);
        if (build->progress != NULL)
                fprintf(stderr, "\n");
        if (complaints.text != NULL)
                fputs(complaints.text, stderr);
        if (is_built)
                printf("%s: %" PRIu64 " addresses in %" PRIu64 " domain%s, %" PRIu64 " octets\n",
                       build->output, build->count, build->domains, build->domains == 1 ? "" : "s",
                       build->octets);
        else
                fprintf(stderr, "gatepost: %s is as it was\n", build->output);
        conf_complaints_end(&complaints);
        return is_built && fflush(stdout) == 0 ? 0 : 1;
}

int recipients_main(int argc, char **argv)
{
        struct recipient_build build = {.memory = "128M", .folds = true};
        const char *domain = NULL;
        bool is_exact = false;
        char octets[DOMAIN_NAME_MAX + 1];
        const struct usage_option options[] = {{"out", &build.output, NULL},
                                               {"domain", &domain, NULL},
                                               {"exact", NULL, &is_exact},
                                               {"memory", &build.memory, NULL},
                                               {0}};
        struct text name;

        if (!usage_read_options(recipients_help, options, 2, argc, argv))
                return USAGE_STATUS;
        const char *verb = argv[optind], *input = verb == NULL ? NULL : argv[optind + 1];
        if (verb == NULL || strcmp(verb, "build") != 0)
                return usage_fault(recipients_help, "recipients: build is missing");
        if (input == NULL)
                return usage_fault(recipients_help, "recipients: FILE is missing");
        if (build.output == NULL)
                return usage_fault(recipients_help, "recipients: --out DB is missing");
        text_over(&name, octets, sizeof octets);
        if (domain != NULL && (!domain_name_is_valid(span_from(domain), true) ||
                               !domain_name_to_ascii(span_from(domain), &name) || name.overflowed))
                return usage_fault(recipients_help, "recipients: \"%s\" is no domain name", domain);
        build.input = strcmp(input, "-") == 0 ? NULL : input;
        if (build.input != NULL && is_same_file(build.input, build.output))
                return usage_fault(recipients_help, "recipients: --out is FILE itself");
        build.domain = text_span(&name);
        build.folds = !is_exact;
        return run(&build);
}
