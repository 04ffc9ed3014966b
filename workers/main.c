/* The command line. */
#include "conf/text/nearest.h"
#include "workers/cli/subcommands.h"
#include "workers/cli/usage.h"
#include "workers/server/signals.h"
#include "workers/tls/reasons.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int help(FILE *out, int status)
{
        fputs("usage: gatepost SUBCOMMAND ...\n", out);
        for (size_t i = 0; subcommands[i].name != NULL; i++)
                fprintf(out, "           %-14s %s\n", subcommands[i].name, subcommands[i].purpose);
        fputs("       gatepost help SUBCOMMAND    arguments and exit statuses; also gatepost SUBCOMMAND "
              "--help\n"
              "       gatepost --help | --version\n"
              "-c FILE is the same as --config FILE. Options may stand in any order.\n",
              out);
        return fflush(out) == 0 ? status : 1;
}

static int complain_of(const char *name)
{
        struct nearest nearest = {.wanted = name};
        bool is_option = name[0] == '-';

        for (size_t i = 0; subcommands[i].name != NULL; i++)
                nearest_offer(&nearest, subcommands[i].name);
        nearest_offer(&nearest, "help");
        fprintf(stderr, "gatepost: there is no ");
        fprintf(stderr, is_option ? "option %s" : "subcommand \"%s\"", name);
        if (nearest.name != NULL && !is_option)
                fprintf(stderr, "; did you mean %s?", nearest.name);
        fputs("\n", stderr);
        return help(stderr, USAGE_STATUS);
}

static int complain_of_rest(const char *name, const char *rest)
{
        fprintf(stderr, "gatepost: %s: \"%s\" is not understood\n", name, rest);
        return help(stderr, USAGE_STATUS);
}

static bool is_help(const char *argument)
{
        return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

static int print(const char *text)
{
        return fputs(text, stdout) < 0 || fflush(stdout) != 0;
}

/* `argv[0]` is the subcommand's name. What could not be written makes every command fail. */
static int run(const struct subcommand *subcommand, int argc, char **argv)
{
        for (int i = 1; i < argc; i++)
                if (is_help(argv[i]))
                        return print(subcommand->help);
        int status = subcommand->run(argc, argv);
        bool is_written = fflush(stdout) == 0 && !ferror(stdout);
        return is_written || status == USAGE_STATUS ? status : 1;
}

/* `argv[0]` is "help". */
static int help_main(int argc, char **argv)
{
        const struct subcommand *subcommand = argc > 1 ? subcommand_find(argv[1]) : NULL;

        if (argc > 2)
                return complain_of_rest(argv[0], argv[2]);
        if (argc < 2 || is_help(argv[1]) || strcmp(argv[1], "help") == 0)
                return help(stdout, 0);
        return subcommand == NULL ? complain_of(argv[1]) : print(subcommand->help);
}

/* Whatever is opened later would else be taken for the standard input, output or error that we were started without.
 * What fails on a closed one fails on these as well: nothing can be written to them. */
static bool hold_standard_descriptors(void)
{
        int fd;

        do
                fd = open("/dev/null", O_RDONLY);
        while (fd >= 0 && fd <= STDERR_FILENO);
        return fd >= 0 && close(fd) == 0;
}

int main(int argc, char **argv)
{
        sigset_t signals;

        /* Before anything else: whoever starts the server may send it a SIGHUP at once. */
        if (argc > 1 && strcmp(argv[1], "serve") == 0)
                signals_block(&signals);
        bool is_any_closed = fcntl(STDIN_FILENO, F_GETFD) < 0 || fcntl(STDOUT_FILENO, F_GETFD) < 0 ||
                             fcntl(STDERR_FILENO, F_GETFD) < 0;
        if (is_any_closed && !hold_standard_descriptors())
                return 1;
        tls_memory_watch();
        if (argc < 2)
                return help(stderr, USAGE_STATUS);
        const struct subcommand *subcommand = subcommand_find(argv[1]);
        if (subcommand != NULL)
                return run(subcommand, argc - 1, argv + 1);
        if (strcmp(argv[1], "help") == 0)
                return help_main(argc - 1, argv + 1);
        bool is_version = strcmp(argv[1], "--version") == 0;
        if (!is_help(argv[1]) && !is_version)
                return complain_of(argv[1]);
        if (argc > 2)
                return complain_of_rest(argv[1], argv[2]);
        return is_version ? print("gatepost " VERSION "\n") : help(stdout, 0);
}
