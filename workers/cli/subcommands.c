/* What gatepost can be asked for. */
#include "workers/cli/subcommands.h"

#include "workers/cli/check_config.h"
#include "workers/cli/checks.h"
#include "workers/cli/control/orders.h"
#include "workers/cli/control/shadow.h"
#include "workers/cli/control/trace.h"
#include "workers/cli/dmarc_report/dmarc_report.h"
#include "workers/cli/explain.h"
#include "workers/cli/feed/feed.h"
#include "workers/cli/fleet/fleet.h"
#include "workers/cli/greylist.h"
#include "workers/cli/import/import.h"
#include "workers/cli/journal/journal.h"
#include "workers/cli/log/log.h"
#include "workers/cli/policy/policy_page.h"
#include "workers/cli/recipients/recipients.h"
#include "workers/cli/replay/replay.h"
#include "workers/cli/serve.h"
#include "workers/cli/spf.h"
#include "workers/cli/tag.h"

#include <stddef.h>
#include <string.h>

const struct subcommand subcommands[] = {
    {"serve", serve_main, serve_help, "receive mail"},
    {"check-config", check_config_main, check_config_help,
     "tell what is wrong with a configuration, or what it says; print every option"},
    {"reload", reload_main, reload_help, "let the running server read its configuration anew"},
    {"status", status_main, status_help, "tell how the running server is"},
    {"drain", drain_main, drain_help, "let the running server end, after balancers have noticed"},
    {"upgrade", upgrade_main, upgrade_help, "let a new process take over from the running server"},
    {"trace", trace_main, trace_help, "follow sessions of the running server live"},
    {"explain", explain_main, explain_help, "tell what each check would say, or said"},
    {"replay", replay_main, replay_help, "tell what another configuration would have answered"},
    {"shadow", shadow_main, shadow_help, "let another configuration judge beside that of the running server"},
    {"log", log_main, log_help, "read, make and forget pseudonyms in the log"},
    {"dmarc-report", dmarc_report_main, dmarc_report_help,
     "make the aggregate reports of DMARC about a day from the log"},
    {"spf", spf_main, spf_help, "evaluate SPF and show what was looked up"},
    {"feed", feed_main, feed_help, "read the files of a DNS list, and answer from them"},
    {"import", import_main, import_help, "make a configuration of that of Postfix, and tell what differs"},
    {"recipients", recipients_main, recipients_help, "build a file of millions of recipients"},
    {"greylist", greylist_main, greylist_help, "show or change what the greylist remembers"},
    {"fleet", fleet_main, fleet_help, "tell which configuration each machine of a fleet runs"},
    {"journal", journal_main, journal_help, "show what waits in the journal, verify it, or drop messages"},
    {"tag", tag_main, tag_help, "tag a Message-ID or a sender of outbound mail"},
    {"policy-page", policy_page_main, policy_page_help, "write the page that explains refusals to senders"},
    {"checks", checks_main, checks_help, "list the checks"},
    {0},
};

const struct subcommand *subcommand_find(const char *name)
{
        for (size_t i = 0; subcommands[i].name != NULL; i++)
                if (strcmp(subcommands[i].name, name) == 0)
                        return &subcommands[i];
        return NULL;
}
