/* Orders of a shadow, and what it has seen in words. */
#include "workers/cli/control/shadow.h"

#include "conf/value/rate.h"
#include "core/base/text.h"
#include "workers/cli/control/ask.h"
#include "workers/cli/shared/told.h"
#include "workers/cli/usage.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define ORDER_SIZE 1024

const char shadow_help[] =
    "usage: gatepost shadow start -c NEW [--share 10%] [--server FILE]\n"
    "       gatepost shadow status -c FILE [--json]\n"
    "       gatepost shadow promote -c FILE --budget 0.1% [--force]\n"
    "       gatepost shadow stop -c FILE\n\n"
    "Lets a running server judge a share of its sessions by the configuration NEW as well, and tells which "
    "answers\n"
    "would be others. No reply, no store and no rate changes by it. FILE and NEW name the server's control "
    "socket\n"
    "(option `control`).\n"
    "start            NEW is read as a reload would, and judges from then on\n"
    "  --share SHARE  of the sessions (10%)\n"
    "  --server FILE  names the control socket in the place of NEW\n"
    "status           tells what it has seen so far\n"
    "  --json         as a JSON object\n"
    "promote          puts NEW in force, as a reload would. The server's own file stays as it is, and the "
    "next\n"
    "                 reload reads that\n"
    "  --budget SHARE not if more of the answers than this would be refused or deferred that are not, or are "
    "unknown\n"
    "  --force        also with fewer than 1000 answers compared, and whatever is unknown\n"
    "stop             ends it, and tells what it has seen\n\n"
    "Exit status: 0; 1 it was not done, or no server can be reached; 2 wrong call.\n";

static long long number_of(const json_t *object, const char *name)
{
        return (long long)json_integer_value(json_object_get(object, name));
}

/* ---- status -------------------------------------------------------------------------------------------- */

static void print_names(const json_t *change, const char *kind, const char *heading)
{
        const json_t *rows = json_object_get(change, kind), *row;
        size_t i;

        if (json_array_size(rows) == 0)
                return;
        printf("  %s:", heading);
        json_array_foreach(rows, i, row)
        {
                printf("%s ", i == 0 ? "" : ",");
                told_print_text(json_string_value(json_object_get(row, "name")));
                printf(" %lld", number_of(row, "count"));
        }
        long long left_out = number_of(json_object_get(change, "left_out"), kind);
        if (left_out > 0)
                printf(" (%lld under names that had no room)", left_out);
        putchar('\n');
}

static void print_change(const json_t *line, const char *name, const char *words)
{
        json_t *change = json_object_get(line, name), *value;
        const char *check;
        size_t i;

        if (number_of(change, "count") == 0 && strstr(name, "defers") != NULL)
                return;
        printf("would have %s: %lld\n", words, number_of(change, "count"));
        json_object_foreach(json_object_get(change, "checks"), check, value)
            printf("  %-24s %10lld\n", check, (long long)json_integer_value(value));
        print_names(change, "sender_domain", "top sender domains");
        print_names(change, "client_network", "top client networks");
        print_names(change, "recipient_domain", "recipient domains");
        json_array_foreach(json_object_get(change, "examples"), i, value)
        {
                fputs(i == 0 ? "  such as " : "          ", stdout);
                told_print_text(json_string_value(value));
                putchar('\n');
        }
}

static void print_not_judged(const json_t *line)
{
        static const struct {
                const char *name, *words;
        } rows[] = {{"dropped", "because too many waited"},
                    {"over_cost", "because that had cost enough CPU time"},
                    {"too_long", "that were too long"},
                    {"outdated", "that began before the configuration in force changed"}};

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
                if (number_of(line, rows[i].name) > 0)
                        printf("not judged: %lld sessions %s\n", number_of(line, rows[i].name),
                               rows[i].words);
}

static void print_unknown(const json_t *line)
{
        const json_t *rows = json_object_get(line, "lacking"), *row;
        size_t i;

        if (number_of(line, "unknown") > 0)
                printf("unknown: %lld sessions need what is not known\n", number_of(line, "unknown"));
        json_array_foreach(rows, i, row)
        {
                printf("  %-24s %10lld  ", json_string_value(json_object_get(row, "check")),
                       number_of(row, "sessions"));
                told_print_text(json_string_value(json_object_get(row, "zone")));
                putchar('\n');
        }
}

static void print_questions(const json_t *line)
{
        long long sessions = number_of(line, "asked_sessions");

        printf("added questions: %lld, in %lld sessions", number_of(line, "questions"), sessions);
        if (sessions > 0)
                printf(", which would have waited %lld ms for them, %lld ms at most",
                       number_of(line, "waited_ms") / sessions, number_of(line, "waited_max_ms"));
        putchar('\n');
        if (number_of(line, "over_budget") > 0)
                printf("not asked: %lld sessions wanted more questions than the shadow may ask\n",
                       number_of(line, "over_budget"));
}

static void print_status(const json_t *line)
{
        if (json_object_get(line, "configuration") == NULL)
                return;
        told_print_text(json_string_value(json_object_get(line, "configuration")));
        printf(" judges %g%% of the sessions beside the configuration in force\n",
               100 * json_number_value(json_object_get(line, "share")));
        if (number_of(line, "reloads") > 0)
                printf("that was read anew %lld times meanwhile: the counts began anew\n",
                       number_of(line, "reloads"));
        printf("compared: %lld sessions, %lld answers, %lld as they were\n", number_of(line, "judged"),
               number_of(line, "answers"), number_of(line, "same"));
        print_not_judged(line);
        print_change(line, "refuses_more", "refused more");
        print_change(line, "refuses_less", "refused less");
        print_change(line, "defers_more", "deferred more");
        print_change(line, "defers_less", "deferred less");
        print_unknown(line);
        print_questions(line);
}

static void print_complaint(const json_t *line)
{
        const char *complaint = json_string_value(json_object_get(line, "complaint"));

        if (complaint != NULL)
                fprintf(stderr, "%s\n", complaint);
}

/* ---- orders -------------------------------------------------------------------------------------------- */

struct wish {
        const char *configuration, *server, *share, *budget;
        bool as_json, is_forced;
        char order[ORDER_SIZE];
};

static int give(const struct wish *wish, const char *name, void (*show)(const json_t *line))
{
        const struct ask ask = {.configuration = wish->server != NULL ? wish->server : wish->configuration,
                                .name = name,
                                .order = wish->order,
                                .show = show};
        return ask_server(&ask, shadow_help);
}

static int start(struct wish *wish)
{
        const char *share = wish->share == NULL ? "10%" : wish->share;
        uint64_t ppm;

        if (!share_parse(span_from(share), &ppm) || ppm == 0)
                return usage_fault(shadow_help, "shadow start: --share \"%.100s\" is no share such as 10%%",
                                   share);
        /* The server has another working directory. */
        char *path = realpath(wish->configuration, NULL);
        if (path == NULL) {
                perror(wish->configuration);
                return 1;
        }
        /* An order is a line. */
        if (span_has_control(span_from(path))) {
                free(path);
                return usage_fault(shadow_help,
                                   "shadow start: the name of the configuration has a control character");
        }
        int length =
            snprintf(wish->order, sizeof wish->order, "shadow_start %llu %s", (unsigned long long)ppm, path);
        free(path);
        if (length >= (int)sizeof wish->order - 1)
                return usage_fault(shadow_help, "shadow start: the name of the configuration is too long");
        return give(wish, "shadow start", print_complaint);
}

static int promote(struct wish *wish)
{
        uint64_t ppm;

        if (wish->budget == NULL)
                return usage_fault(shadow_help,
                                   "shadow promote: --budget is missing, such as --budget 0.1%%");
        if (!share_parse(span_from(wish->budget), &ppm))
                return usage_fault(shadow_help,
                                   "shadow promote: --budget \"%.100s\" is no share such as 0.1%%",
                                   wish->budget);
        snprintf(wish->order, sizeof wish->order, "shadow_promote %llu%s", (unsigned long long)ppm,
                 wish->is_forced ? " force" : "");
        return give(wish, "shadow promote", print_complaint);
}

static int show(struct wish *wish, const char *verb)
{
        char name[32];

        snprintf(wish->order, sizeof wish->order, "shadow_%s", verb);
        snprintf(name, sizeof name, "shadow %s", verb);
        return give(wish, name, wish->as_json ? NULL : print_status);
}

int shadow_main(int argc, char **argv)
{
        struct wish wish = {0};
        const struct usage_option options[] = {{"config", &wish.configuration, NULL},
                                               {"server", &wish.server, NULL},
                                               {"share", &wish.share, NULL},
                                               {"budget", &wish.budget, NULL},
                                               {"json", NULL, &wish.as_json},
                                               {"force", NULL, &wish.is_forced},
                                               {0}};

        if (!usage_read_options(shadow_help, options, 1, argc, argv))
                return USAGE_STATUS;
        const char *verb = optind < argc ? argv[optind] : "";
        if (wish.configuration == NULL)
                return usage_fault(shadow_help, "shadow: -c FILE is missing");
        if (strcmp(verb, "start") == 0)
                return start(&wish);
        if (strcmp(verb, "promote") == 0)
                return promote(&wish);
        if (strcmp(verb, "status") == 0 || strcmp(verb, "stop") == 0)
                return show(&wish, verb);
        return usage_fault(shadow_help, "shadow: one of start, status, promote and stop is wanted");
}
