/* Lists from the rows of subcommands, checks, replies and counters. */
#include "workers/manual/tables.h"

#include "conf/checks.h"
#include "conf/replies.h"
#include "workers/cli/subcommands.h"
#include "workers/manual/help.h"
#include "workers/manual/mdoc.h"
#include "workers/manual/options.h"

static void begin_list(FILE *file)
{
        fputs(".Bl -tag -width Ds\n", file);
}

static void end_list(FILE *file)
{
        fputs(".El\n", file);
}

/* ---- subcommands --------------------------------------------------------------------------------------- */

void tables_write_subcommands(FILE *file)
{
        for (size_t i = 0; subcommands[i].name != NULL; i++) {
                fprintf(file, ".Ss gatepost %s\n", subcommands[i].name);
                help_write(file, subcommands[i].help);
        }
}

/* ---- checks -------------------------------------------------------------------------------------------- */

void tables_write_checks(FILE *file)
{
        begin_list(file);
        for (int id = 0; id < CHECK_COUNT; id++) {
                fprintf(file, ".It Ic %s Pq %s\n", check_infos[id].name, check_infos[id].policy);
                mdoc_sentence(file, check_infos[id].summary);
        }
        end_list(file);
}

static void write_mode(FILE *file, const struct check_info *check)
{
        static const char *const needs[] = {[NEEDS_NOTHING] = "",
                                            [NEEDS_DNS] = "It is off while there are no resolvers.\n",
                                            [NEEDS_SENDERS] = "It needs a\n.Ic sender_store .\n"};

        if (check->kind == CHECK_KIND_RULE) {
                fputs("It is a rule: it always holds, and has no mode.\n", file);
                return;
        }
        fprintf(file, "Its default mode is\n.Cm %s .\n", check_mode_name(check->default_mode));
        if (check->kind == CHECK_KIND_SESSION)
                fputs("A domain cannot have a mode of its own.\n", file);
        else
                fprintf(file, "It runs at the stage\n.Cm %s .\n", stage_name(check->stage));
        fputs(needs[check->needs], file);
}

void tables_write_check_sections(FILE *file)
{
        for (int id = 0; id < CHECK_COUNT; id++) {
                const struct check_info *check = &check_infos[id];
                fprintf(file, ".Ss %s\n", check->name);
                fprintf(file, "Number %s of the policy:\n", check->policy);
                mdoc_sentence(file, check->summary);
                write_mode(file, check);
                options_write(file, span_from(check->name));
                if (id == CHECK_dnsbl) {
                        fputs(".Pp\nA section\n.Ic zone Qq Ar NAME\nof it stands for a list.\n", file);
                        options_write(file, SPAN("zone"));
                }
        }
}

/* ---- replies ------------------------------------------------------------------------------------------- */

void tables_write_replies(FILE *file)
{
        begin_list(file);
        for (size_t reply = 0; reply < REPLY_COUNT; reply++) {
                if (reply_infos[reply].text[0] < '4')
                        continue;
                fprintf(file, ".It Ic %s\n", reply_infos[reply].name);
                mdoc_words(file, span_from(reply_infos[reply].text));
        }
        end_list(file);
}

/* ---- counters ------------------------------------------------------------------------------------------ */

void tables_write_metrics(FILE *file)
{
        static const struct {
                const char *name, *help;
        } rows[] = {
#define METRIC(name, kind, help) {#name, help},
#include "core/smtp/metrics.def"
#define CACHE_METRIC(name, kind, help) {"cache_" #name, help},
#define POOL_METRIC(name, kind, help)  {"pool_" #name, help},
#include "dns/metrics.def"
        };

        begin_list(file);
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                fprintf(file, ".It Ic %s\n", rows[i].name);
                mdoc_sentence(file, rows[i].help);
        }
        end_list(file);
}
