/* gatepost checks: the table of checks, and what they cost, for people. */
#include "workers/cli/checks.h"

#include "conf/checks.h"
#include "workers/cli/control/ask.h"
#include "workers/cli/usage.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define TOGETHER_SHOWN 4

const char checks_help[] =
    "usage: gatepost checks\n"
    "       gatepost checks --cost -c FILE [--json]\n\n"
    "Lists the checks: name, number in the policy, when it runs, default mode, what it "
    "needs.\n\n"
    "--cost   asks the running server what each check costs, and what it is good for, since its start. FILE\n"
    "         names its control socket (option `control`). Of a session on average: microseconds of a\n"
    "         processor, questions to DNS and to the store of senders, milliseconds that clients waited for\n"
    "         the check, and for it alone. In all: refused, deferred and observed. Of the sessions that are\n"
    "         measured (option `measure_every`), in which the microseconds are taken, and no milliseconds:\n"
    "         judgements in which the check was against, so that it refuses or defers, or would; those in\n"
    "         which it was so alone, because no other check that is enforced was; and which others were so\n"
    "         with it\n"
    "--json   as JSON: the totals, then an object for each check\n\n"
    "Exit status: 0; 1 it could not be printed, or no server can be reached; 2 wrong call.\n";

static void list(void)
{
        printf("%-24s %-6s %-8s %-8s %-7s %s\n", "check", "policy", "stage", "default", "needs",
               "what it demands");
        for (int id = 0; id < CHECK_COUNT; id++) {
                const struct check_info *check = &check_infos[id];
                printf("%-24s %-6s %-8s %-8s %-7s %s\n", check->name, check->policy, stage_name(check->stage),
                       check->kind == CHECK_KIND_RULE ? "always" : check_mode_name(check->default_mode),
                       check_need_name(check->needs), check->summary);
        }
}

/* ---- costs --------------------------------------------------------------------------------------------- */

/* Of the first line, for those behind it. */
static struct {
        double sessions, measured;
} totals;

static double number_of(const json_t *line, const char *name)
{
        return (double)json_integer_value(json_object_get(line, name));
}

static double of_each(double sum, double count)
{
        return count > 0 ? sum / count : 0;
}

static void print_totals(const json_t *line)
{
        totals.sessions = number_of(line, "sessions");
        totals.measured = number_of(line, "measured");
        printf("%.0f sessions, %.0f of them measured", totals.sessions, totals.measured);
        if (number_of(line, "measure_every") == 0)
                printf("; measure_every = 0 measures none");
        printf("\n\n%-24s %-8s %8s %8s %8s %8s %9s %9s %9s %8s %8s  %s\n", "check", "mode", "us", "asked",
               "ms", "ms alone", "refused", "deferred", "observed", "against", "alone", "together with");
}

/* The others that were against most often with it, in percent of its own. */
static void print_together(const json_t *line)
{
        json_t *together = json_deep_copy(json_object_get(line, "together"));
        double against = number_of(line, "against");

        for (int shown = 0; shown < TOGETHER_SHOWN && json_object_size(together) > 0; shown++) {
                const char *name, *most = NULL;
                json_t *count;
                json_object_foreach(together, name, count)
                {
                        if (most == NULL || json_integer_value(count) > number_of(together, most))
                                most = name;
                }
                printf("%s%s %.0f%%", shown == 0 ? "  " : ", ", most,
                       100 * of_each(number_of(together, most), against));
                char key[64];
                snprintf(key, sizeof key, "%s", most);
                json_object_del(together, key);
        }
        json_decref(together);
}

static void print_cost(const json_t *line)
{
        if (json_object_get(line, "sessions") != NULL) {
                print_totals(line);
                return;
        }
        printf("%-24s %-8s %8.2f %8.2f %8.2f %8.2f %9.0f %9.0f %9.0f %8.0f %8.0f",
               json_string_value(json_object_get(line, "check")),
               json_string_value(json_object_get(line, "mode")),
               of_each(number_of(line, "busy_ns") / 1000, totals.measured),
               of_each(number_of(line, "questions"), totals.sessions),
               of_each(number_of(line, "waited_ms"), totals.sessions - totals.measured),
               of_each(number_of(line, "waited_alone_ms"), totals.sessions - totals.measured),
               number_of(line, "refused"), number_of(line, "deferred"), number_of(line, "observed"),
               number_of(line, "against"), number_of(line, "alone"));
        print_together(line);
        putchar('\n');
}

int checks_main(int argc, char **argv)
{
        struct ask ask = {.order = "costs"};
        bool tells_cost = false, as_json = false;
        const struct usage_option options[] = {
            {"config", &ask.configuration, NULL}, {"cost", NULL, &tells_cost}, {"json", NULL, &as_json}, {0}};

        if (!usage_read_options(checks_help, options, 0, argc, argv))
                return USAGE_STATUS;
        if (!tells_cost && (as_json || ask.configuration != NULL))
                return usage_fault(checks_help, "checks: -c and --json go with --cost");
        if (tells_cost) {
                ask.show = as_json ? NULL : print_cost;
                return ask_server(&ask, checks_help);
        }
        list();
        return 0;
}
