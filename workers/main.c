/* The command line: a table of subcommands. */
#include "workers/cli/check_config.h"
#include "workers/cli/checks.h"
#include "workers/cli/explain.h"
#include "workers/cli/greylist.h"
#include "workers/cli/serve.h"
#include "workers/cli/spf.h"
#include "workers/cli/tag.h"

#include <stdio.h>
#include <string.h>

static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
        const char *arguments, *purpose;
} subcommands[] = {
    {"serve", serve_main, "-c FILE [--live]", "receive mail; SIGHUP reloads FILE, SIGTERM stops"},
    {"check-config", check_config_main, "-c FILE | --print",
     "tell what is wrong with FILE; print every option"},
    {"explain", explain_main, "-c FILE ...", "tell what each check would say, or said"},
    {"spf", spf_main, "--ip ...", "evaluate SPF and show what was looked up"},
    {"greylist", greylist_main, "...", "show or change what the greylist remembers"},
    {"tag", tag_main, "-c FILE ...", "tag a Message-ID or a sender of outbound mail"},
    {"checks", checks_main, "", "list the checks"},
};

static int help(FILE *out, int status)
{
        for (size_t i = 0; i < sizeof subcommands / sizeof subcommands[0]; i++)
                fprintf(out, "%s gatepost %-12s %-18s %s\n", i == 0 ? "usage:" : "      ",
                        subcommands[i].name, subcommands[i].arguments, subcommands[i].purpose);
        fputs("       gatepost --help | --version\n", out);
        return status;
}

int main(int argc, char **argv)
{
        for (size_t i = 0; argc > 1 && i < sizeof subcommands / sizeof subcommands[0]; i++)
                if (strcmp(argv[1], subcommands[i].name) == 0)
                        return subcommands[i].run(argc - 1, argv + 1);
        if (argc == 2 && strcmp(argv[1], "--help") == 0)
                return help(stdout, 0);
        if (argc == 2 && strcmp(argv[1], "--version") == 0)
                return puts("gatepost " VERSION) < 0;
        return help(stderr, 2);
}
