/* The command line. */
#include "workers/cli/explain.h"

#include "conf/build/load.h"
#include "conf/value/print.h"
#include "workers/cli/greylist.h"
#include "workers/cli/spf.h"
#include "workers/server/server.h"
#include "workers/cli/tag.h"

#include <stdio.h>

#define EXIT_USAGE 2

static const char usage_text[] =
    "usage: gatepost serve -c FILE [--live]     receive mail; SIGHUP reloads FILE, SIGTERM stops\n"
    "       gatepost check-config -c FILE       tell what is wrong with a configuration\n"
    "       gatepost check-config --print       print every option with its default\n"
    "       gatepost explain -c FILE ...        tell what each check would say, or said\n"
    "       gatepost spf --ip ...               evaluate SPF and show what was looked up\n"
    "       gatepost greylist ...               show or change what the greylist remembers\n"
    "       gatepost tag -c FILE ...            tag a Message-ID or a sender of outbound mail\n"
    "       gatepost checks                     list the checks\n"
    "       gatepost --help | --version\n";

static int usage(void)
{
        fputs(usage_text, stderr);
        return EXIT_USAGE;
}

static int serve_main(int argc, char **argv)
{
        const char *path = NULL;
        bool shows_status_line = false;

        for (int i = 1; i < argc; i++) {
                if (strcmp(argv[i], "-c") == 0 && i + 1 < argc)
                        path = argv[++i];
                else if (strcmp(argv[i], "--live") == 0)
                        shows_status_line = true;
                else
                        return usage();
        }
        return path == NULL ? usage() : server_run(path, shows_status_line);
}

static int check_config_main(int argc, char **argv)
{
        if (argc == 2 && strcmp(argv[1], "--print") == 0) {
                options_print(stdout);
                return fflush(stdout) == 0 ? 0 : 1;
        }
        if (argc != 3 || strcmp(argv[1], "-c") != 0)
                return usage();

        struct conf_complaints complaints = {0};
        struct snapshot *snapshot = snapshot_load(argv[2], &complaints);
        if (complaints.text != NULL)
                fputs(complaints.text, stderr);
        printf("%s: %u errors, %u warnings\n", argv[2], complaints.errors, complaints.warnings);
        conf_complaints_end(&complaints);
        if (snapshot == NULL)
                return 1;
        snapshot_free(snapshot);
        return 0;
}

static int checks_main(int argc, char **argv)
{
        (void)argv;
        if (argc != 1)
                return usage();
        printf("%-24s %-6s %-8s %-8s %-6s %s\n", "check", "policy", "stage", "default", "needs",
               "what it demands");
        for (int id = 0; id < CHECK_COUNT; id++) {
                const struct check_info *check = &check_infos[id];
                printf("%-24s %-6s %-8s %-8s %-6s %s\n", check->name, check->policy, stage_name(check->stage),
                       check->kind == CHECK_KIND_RULE ? "always" : check_mode_name(check->default_mode),
                       check_need_name(check->needs), check->summary);
        }
        return 0;
}

static int help_main(int argc, char **argv)
{
        (void)argc;
        (void)argv;
        fputs(usage_text, stdout);
        return 0;
}

static int version_main(int argc, char **argv)
{
        (void)argc;
        (void)argv;
        puts("gatepost " VERSION);
        return 0;
}

int main(int argc, char **argv)
{
        static const struct {
                const char *name;
                int (*run)(int argc, char **argv);
        } commands[] = {
            {"serve", serve_main},       {"check-config", check_config_main},
            {"explain", explain_main},   {"spf", spf_main},
            {"greylist", greylist_main}, {"tag", tag_main},
            {"checks", checks_main},     {"--help", help_main},
            {"--version", version_main},
        };

        for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof commands[0]; i++)
                if (strcmp(argv[1], commands[i].name) == 0)
                        return commands[i].run(argc - 1, argv + 1);
        return usage();
}
