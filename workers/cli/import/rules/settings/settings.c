/* Settings one by one. */
#include "workers/cli/import/rules/settings/settings.h"

#include "conf/snapshot.h"
#include "core/base/domain_name.h"
#include "workers/cli/import/cf/words.h"
#include "workers/cli/import/rules/networks.h"

/* "$name", "${name" or "$(name" stands in it. */
static bool mentions(struct span value, struct span name)
{
        for (size_t i = 1; i + name.length <= value.length; i++) {
                bool is_variable =
                    value.at[i - 1] == '$' ||
                    (i > 1 && (value.at[i - 1] == '{' || value.at[i - 1] == '(') && value.at[i - 2] == '$');
                bool is_whole =
                    i + name.length == value.length ||
                    (!ascii_is_alnum(value.at[i + name.length]) && value.at[i + name.length] != '_');
                if (is_variable && is_whole && memcmp(value.at + i, name.at, name.length) == 0)
                        return true;
        }
        return false;
}

bool settings_is_own(struct import *import, struct span name)
{
        if (import_list_has(import, "smtpd_restriction_classes", name))
                return true;
        for (const struct cf_setting *setting = import->cf.first; setting != NULL; setting = setting->next)
                if (!setting->is_overruled && mentions(setting->value, name))
                        return true;
        return false;
}

static void judge(struct parameter *parameter, enum judgement judgement, const char *why)
{
        parameter->judgement = judgement;
        parameter->why = why;
}

void parameter_nothing(struct import *import, struct parameter *parameter)
{
        (void)import;
        (void)parameter;
}

void parameter_hostname(struct import *import, struct parameter *parameter)
{
        struct draft_section *top = &import->draft.top;

        if (domain_name_is_valid(parameter->value, false)) {
                draft_text(&import->draft, top, "hostname", parameter->value, parameter->origin);
                return;
        }
        judge(parameter, JUDGED_NOT_TRANSLATED, "That is no domain name.");
        import_todo(import, "Set hostname: myhostname is no domain name.");
}

void parameter_mynetworks(struct import *import, struct parameter *parameter)
{
        if (import->trusts_networks)
                return;
        judge(parameter, JUDGED_NOT_NEEDED,
              "These clients are let through for relaying alone, and nobody relays here.");
        parameter->ours = "";
}

void parameter_interfaces(struct import *import, struct parameter *parameter)
{
        if (!listeners_are_known(import))
                judge(parameter, JUDGED_NOT_TRANSLATED,
                      "Names of machines and interfaces are not taken, addresses are: look at listen.");
}

void parameter_proxy_networks(struct import *import, struct parameter *parameter)
{
        if (!networks_add(import, &import->draft.top, "proxy_networks", parameter->name))
                judge(parameter, JUDGED_STRICTER,
                      "Names of machines are not taken, addresses and networks are; who may say XCLIENT may "
                      "also say PROXY.");
}

void parameter_delay_reject(struct import *import, struct parameter *parameter)
{
        bool delays = cf_is_yes(parameter->value, true);

        draft_word(&import->draft, &import->draft.top, "reject_at", delays ? SPAN("rcpt") : SPAN("first"),
                   parameter->origin);
        parameter->why =
            delays ? "A refusal of client, HELO or sender is answered at RCPT; postmaster hears everybody."
                   : "A refusal of client, HELO or sender is answered at once.";
}

void parameter_stricter_unless_yes(struct import *import, struct parameter *parameter)
{
        (void)import;
        if (!cf_is_yes(parameter->value, false))
                parameter->judgement = JUDGED_STRICTER;
}

void parameter_strict(struct import *import, struct parameter *parameter)
{
        if (cf_is_yes(parameter->value, false)) {
                parameter->why = "Paths need their brackets.";
                return;
        }
        draft_word(&import->draft, draft_check(&import->draft, CHECK_syntax), "lenient", SPAN("yes"),
                   parameter->origin);
        parameter->ours = "syntax.lenient";
        judge(parameter, JUDGED_STRICTER,
              "Blanks in front of a path and odd dots in local parts are taken; paths without brackets "
              "are not.");
}

void parameter_unlisted(struct import *import, struct parameter *parameter)
{
        (void)import;
        if (!cf_is_yes(parameter->value, true))
                judge(parameter, JUDGED_STRICTER,
                      "Mail is taken for known recipients alone; * in a file of recipients takes the rest.");
}

void parameter_left_out_unless_yes(struct import *import, struct parameter *parameter)
{
        (void)import;
        parameter->is_left_out = !cf_is_yes(parameter->value, false);
}

void parameter_keywords(struct import *import, struct parameter *parameter)
{
        struct span rest = parameter->value, word;

        while ((word = cf_take_word(&rest)).length > 0)
                for (size_t i = 0; i < EHLO_KEYWORD_COUNT; i++)
                        if (span_equals_nocase(word, span_from(ehlo_keyword_names[i])))
                                draft_item(&import->draft, &import->draft.top, "ehlo_without",
                                           span_from(ehlo_keyword_names[i]), parameter->origin);
}

void parameter_smtputf8(struct import *import, struct parameter *parameter)
{
        if (cf_is_yes(parameter->value, true)) {
                parameter->why = "SMTPUTF8 is told and taken.";
                return;
        }
        draft_item(&import->draft, &import->draft.top, "ehlo_without", SPAN("SMTPUTF8"), parameter->origin);
        judge(parameter, JUDGED_LAXER, "SMTPUTF8 is not told, but taken from those who say it all the same.");
}

void parameter_bare_newline(struct import *import, struct parameter *parameter)
{
        bool refuses = span_equals_nocase(parameter->value, SPAN("reject")) ||
                       span_equals_nocase(parameter->value, SPAN("note"));

        draft_word(&import->draft, draft_check(&import->draft, CHECK_syntax), "bare_newline",
                   refuses ? SPAN("refuse") : SPAN("normalise"), parameter->origin);
        if (refuses || span_starts_nocase(parameter->value, SPAN("normal")) ||
            cf_is_yes(parameter->value, false))
                parameter->why = "Only CRLF.CRLF ends a text.";
        else
                judge(parameter, JUDGED_STRICTER,
                      "A bare LF in a text becomes CRLF, but only CRLF.CRLF ends it, so that no second "
                      "mail can be smuggled behind it.");
}

void parameter_pipelining(struct import *import, struct parameter *parameter)
{
        if (!cf_is_yes(parameter->value, false)) {
                judge(parameter, JUDGED_SAME, "Whoever does not wait is only told of.");
                return;
        }
        draft_mode(&import->draft, CHECK_early_talker, CHECK_MODE_ENFORCE, parameter->origin);
}

void parameter_exempt(struct import *import, struct parameter *parameter)
{
        if (!networks_add(import, draft_check(&import->draft, CHECK_client_rate), "exempt", parameter->name))
                judge(parameter, JUDGED_STRICTER,
                      "Names of machines are not taken, addresses and networks are.");
}
