/* gatepost checks: the table of checks, for people. */
#include "workers/cli/checks.h"

#include "conf/checks.h"
#include "workers/cli/usage.h"

#include <stdio.h>

const char checks_help[] =
    "usage: gatepost checks\n\n"
    "Lists the checks: name, number in the policy, when it runs, default mode, what it "
    "needs.\n\n"
    "Exit status: 0; 1 it could not be printed; 2 wrong call.\n";

int checks_main(int argc, char **argv)
{
        static const struct usage_option none = {0};

        if (!usage_read_options(checks_help, &none, 0, argc, argv))
                return USAGE_STATUS;
        printf("%-24s %-6s %-8s %-8s %-7s %s\n", "check", "policy", "stage", "default", "needs",
               "what it demands");
        for (int id = 0; id < CHECK_COUNT; id++) {
                const struct check_info *check = &check_infos[id];
                printf("%-24s %-6s %-8s %-8s %-7s %s\n", check->name, check->policy, stage_name(check->stage),
                       check->kind == CHECK_KIND_RULE ? "always" : check_mode_name(check->default_mode),
                       check_need_name(check->needs), check->summary);
        }
        return 0;
}
