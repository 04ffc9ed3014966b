/* Goes through the settings. */
#include "workers/cli/import/rules/settings/parameters.h"

#include "conf/value/value.h"
#include "workers/cli/import/cf/words.h"
#include "workers/cli/import/rules/networks.h"
#include "workers/cli/import/rules/settings/settings.h"
#include "workers/cli/import/rules/settings/tls.h"

#define PARAMETERS_MAX 1000 /* that are told of, more than Postfix has */

enum when { WHEN_SET, WHEN_ALWAYS };

enum number_kind { NUMBER_COUNT, NUMBER_TIME, NUMBER_SIZE, NUMBER_RATE };

enum group { GROUP_NONE, GROUP_SENDING, GROUP_SUBMISSION, GROUP_HOUSEHOLD };

struct row {
        const char *name, *ours, *why;
        void (*translate)(struct import *import,
                          struct parameter *parameter); /* NULL: a number, or nothing is told */
        const struct option_row *option;
        enum when when;
        enum number_kind kind;
        enum judgement judgement;
        enum group group;
        bool is_elsewhere;
};

static const struct row rows[] = {
#define PARAMETER(name, when, judgement, ours, translate, why)                                               \
        {#name,      ours, why, parameter_##translate, NULL, WHEN_##when, NUMBER_COUNT, JUDGED_##judgement,  \
         GROUP_NONE, false},
#define NUMBER(name, when, judgement, kind, option, why)                                                     \
        {#name,                                                                                              \
         "",                                                                                                 \
         why,                                                                                                \
         NULL,                                                                                               \
         &option_rows[OPTION_AT_##option],                                                                   \
         WHEN_##when,                                                                                        \
         NUMBER_##kind,                                                                                      \
         JUDGED_##judgement,                                                                                 \
         GROUP_NONE,                                                                                         \
         false},
#define ELSEWHERE(name) {#name, "", "", NULL, NULL, WHEN_SET, NUMBER_COUNT, JUDGED_SAME, GROUP_NONE, true},
#define ASIDE(name, group)                                                                                   \
        {name, "", "", NULL, NULL, WHEN_SET, NUMBER_COUNT, JUDGED_SAME, GROUP_##group, false},
#include "workers/cli/import/rules/settings/parameters.def"
};

/* "postscreen_*", "*_time_limit", "unknown_*_code", or the name itself. */
static bool fits(const char *pattern, struct span name)
{
        const char *star = strchr(pattern, '*');

        if (star == NULL)
                return span_equals(name, span_from(pattern));
        struct span front = span_of(pattern, (size_t)(star - pattern)), end = span_from(star + 1);
        return name.length >= front.length + end.length && span_starts_nocase(name, front) &&
               span_ends_nocase(name, end);
}

static const struct row *find(struct span name)
{
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
                if (fits(rows[i].name, name))
                        return &rows[i];
        return NULL;
}

/* ---- numbers ------------------------------------------------------------------------------------------- */

static bool read_number(const struct row *row, struct span value, uint64_t *ret_number)
{
        if (row->kind != NUMBER_TIME)
                return span_number(value, ret_number);
        if (!cf_time(value, ret_number))
                return false;
        *ret_number *= 1000;
        return true;
}

/* Within the bounds of our option. 0 is "any" for Postfix, which is what the option has for it, or its largest
 * value. */
static uint64_t bound(const struct row *row, uint64_t number, struct parameter *parameter)
{
        uint64_t min = (uint64_t)row->option->min, max = (uint64_t)row->option->max;
        uint64_t bounded = number == 0 && min > 0 ? max : number < min ? min : number > max ? max : number;

        if (bounded == number)
                return number;
        parameter->judgement = bounded > number && number != 0 ? JUDGED_LAXER : JUDGED_STRICTER;
        parameter->why = "It is outside of the bounds of our option, whose nearest value is taken.";
        return bounded;
}

static struct draft_section *section_of(struct import *import, const struct option_row *option)
{
        return option->check < CHECK_COUNT ? draft_check(&import->draft, option->check) : &import->draft.top;
}

static void put_rate(struct import *import, const struct row *row, uint64_t number,
                     struct parameter *parameter)
{
        uint64_t seconds;

        if (number == 0) {
                parameter->why = "There is no limit.";
                return;
        }
        if (!cf_time(import_value(import, "anvil_rate_time_unit"), &seconds) || seconds == 0 ||
            seconds > 86400)
                seconds = 60;
        import->limits_clients = true;
        draft_word(&import->draft, section_of(import, row->option), row->option->name,
                   keep_format(import->keep, "%llu/%llus", (unsigned long long)bound(row, number, parameter),
                               (unsigned long long)seconds),
                   parameter->origin);
}

static void put_number(struct import *import, const struct row *row, struct parameter *parameter)
{
        uint64_t number;
        bool is_check = row->option->check < CHECK_COUNT;

        parameter->ours =
            keep_format(import->keep, "%s%s%s", is_check ? check_infos[row->option->check].name : "",
                        is_check ? "." : "", row->option->name)
                .at;
        if (!read_number(row, parameter->value, &number)) {
                parameter->judgement = JUDGED_NOT_TRANSLATED;
                parameter->why = "That is no number that can be read.";
        } else if (row->kind == NUMBER_RATE) {
                put_rate(import, row, number, parameter);
        } else {
                number = bound(row, number, parameter);
                bool is_seconds = row->kind == NUMBER_TIME && number % 1000 == 0;
                draft_word(&import->draft, section_of(import, row->option), row->option->name,
                           keep_format(import->keep, "%llu%s",
                                       (unsigned long long)(is_seconds ? number / 1000 : number),
                                       is_seconds                 ? "s"
                                       : row->kind == NUMBER_TIME ? "ms"
                                                                  : ""),
                           parameter->origin);
        }
}

/* The length of networks that are one client. */
static void put_length(struct import *import, struct draft_section *section, const struct option_row *row,
                       const char *setting)
{
        uint64_t length;

        if (span_number(import_value(import, setting), &length) && length >= (uint64_t)row->min &&
            length <= (uint64_t)row->max)
                draft_word(&import->draft, section, row->name,
                           keep_format(import->keep, "%llu", (unsigned long long)length),
                           import_origin(import, setting));
}

/* Limits that Postfix has not are not ours either. */
static void finish_rates(struct import *import)
{
        static const char *const others[] = {"connections",        "transactions", "messages", "recipients",
                                             "unknown_recipients", "errors",       NULL};
        struct draft_section *section = draft_check(&import->draft, CHECK_client_rate);

        if (!import->limits_clients)
                return;
        put_length(import, section, &option_rows[OPTION_AT_client_rate_prefix4],
                   "smtpd_client_ipv4_prefix_length");
        put_length(import, section, &option_rows[OPTION_AT_client_rate_prefix6],
                   "smtpd_client_ipv6_prefix_length");
        /* Where a network is a client it has a client's limits. */
        draft_word(&import->draft, section, "network_factor", SPAN("1"),
                   import_origin(import, "smtpd_client_ipv4_prefix_length"));
        if (!import_is_set(import, "smtpd_client_event_limit_exceptions"))
                networks_add(import, section, "exempt", "smtpd_client_event_limit_exceptions");
        for (size_t i = 0; others[i] != NULL; i++)
                if (draft_find(section, others[i]).at == NULL)
                        draft_word(&import->draft, section, others[i], SPAN("off"),
                                   SPAN("Postfix has no such limit"));
        draft_mode(&import->draft, CHECK_client_rate, CHECK_MODE_ENFORCE, SPAN("smtpd_client_*_limit"));
}

/* ---- all ----------------------------------------------------------------------------------------------- */

static void count_aside(struct report *report, enum group group)
{
        report->sending += group == GROUP_SENDING;
        report->submission += group == GROUP_SUBMISSION;
        report->household += group == GROUP_HOUSEHOLD;
}

static void take(struct import *import, struct report_list *list, const struct row *row, const char *name)
{
        struct parameter parameter = {
            .name = name,
            .ours = row == NULL ? "" : row->ours,
            .why = row == NULL ? "No such setting is known." : row->why,
            .judgement = row == NULL ? JUDGED_NOT_TRANSLATED : row->judgement,
            .value = import_value(import, name),
            .origin = import_origin(import, name),
        };

        if (row != NULL && row->option != NULL)
                put_number(import, row, &parameter);
        else if (row != NULL)
                row->translate(import, &parameter);
        if (parameter.is_left_out)
                return;
        const struct report_row told = {
            .place = import_place(import, name, span_of("", 0)),
            .theirs = keep_format(import->keep, "%s = %.*s", name, SPAN_ARG(parameter.value)),
            .judgement = parameter.judgement,
            .ours = parameter.ours,
            .why = parameter.why,
        };
        report_add(&import->report, list, &told);
}

void parameters_translate(struct import *import)
{
        struct report_list *list = report_begin_list(&import->report, SPAN("Settings"));

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
                if (rows[i].when == WHEN_ALWAYS && !import_is_set(import, rows[i].name))
                        take(import, list, &rows[i], rows[i].name);
        for (const struct cf_setting *setting = import->cf.first; setting != NULL; setting = setting->next) {
                const struct row *row = find(setting->name);
                if (setting->is_overruled ||
                    (row == NULL ? settings_is_own(import, setting->name) : row->is_elsewhere))
                        continue;
                if (row != NULL && row->group != GROUP_NONE)
                        count_aside(&import->report, row->group);
                else if (import->settings_told++ < PARAMETERS_MAX)
                        take(import, list, row, setting->name.at);
        }
        finish_rates(import);
}
