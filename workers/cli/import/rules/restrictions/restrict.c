/* Restrictions one by one. */
#include "workers/cli/import/rules/restrictions/restrict.h"

void restrict_nothing(struct import *import, struct element *element)
{
        (void)import;
        (void)element;
}

void restrict_recipient(struct import *import, struct element *element)
{
        (void)import;
        element->is_of_recipients = true;
}

void restrict_end(struct import *import, struct element *element)
{
        element->ends = true;
        if (element->judgement == JUDGED_NOT_TRANSLATED && element->mode == CHECK_MODE_ENFORCE)
                import_todo(import,
                            "%s ends in `%.*s`: Postfix takes mail from those alone whom it lets in before, "
                            "and this server is open to everybody who sends to a known recipient. Let others "
                            "not come here, by listen or a firewall.",
                            element->list, SPAN_ARG(element->name));
        else if (element->judgement == JUDGED_NOT_TRANSLATED)
                element->ends = false;
}

static void keep_trusting_row(struct import *import, struct report_row *row)
{
        size_t i = 0;

        while (i < TRUSTING_MAX && import->trusting_rows[i] != NULL)
                i++;
        if (i < TRUSTING_MAX)
                import->trusting_rows[i] = row;
}

/* In Postfix each list lets them in or not. */
static void finish_mynetworks(struct import *import)
{
        if (import->untrusting_list == NULL)
                return;
        struct span why =
            keep_format(import->keep,
                        "These clients are exempt from all checks, also from those of %s, which does not let "
                        "them in; but nobody may relay here.",
                        import->untrusting_list);
        for (size_t i = 0; i < TRUSTING_MAX && import->trusting_rows[i] != NULL; i++) {
                import->trusting_rows[i]->judgement = JUDGED_LAXER;
                import->trusting_rows[i]->why = why.at;
        }
}

void restrict_mynetworks(struct import *import, struct element *element)
{
        bool is_about_relaying = strcmp(element->list, "smtpd_relay_restrictions") == 0;

        import->trusts_networks |= !is_about_relaying;
        if (is_about_relaying) {
                element->judgement = JUDGED_STRICTER;
                element->ours = "";
                element->why =
                    "Nobody may relay here, trusted or not: outbound mail of these clients is for a "
                    "submission server.";
        } else if (element->rejecting > 0) {
                element->judgement = JUDGED_LAXER;
                element->why =
                    "These clients are exempt from all checks, also from what stands in front of this in "
                    "Postfix; but nobody may relay here.";
        } else {
                keep_trusting_row(import, element->row);
        }
}

void restrict_plaintext(struct import *import, struct element *element)
{
        if (element->mode == CHECK_MODE_ENFORCE) {
                draft_word(&import->draft, &import->draft.top, "starttls", SPAN("require"), element->origin);
                return;
        }
        element_not_translated(
            element, "Nothing only tells of sessions without TLS; the field tls of the log's sessions does.");
}

void restrict_callout(struct import *import, struct element *element)
{
        if (element->mode != CHECK_MODE_ENFORCE) {
                element_not_translated(element, "Who is known is not observed only.");
                return;
        }
        restrict_recipient(import, element);
        import->asks_recipients = true;
        import->callout_row = element->row;
}

/* A name that is unknown is refused here, and put off by Postfix, unless its setting `code` says otherwise. */
static void require(struct import *import, struct element *element, enum check_id check, const char *code,
                    const char *why)
{
        struct span value = import_value(import, code);

        draft_word(&import->draft, draft_check(&import->draft, check), "on_failure", SPAN("defer"),
                   element->origin);
        if (element->mode == CHECK_MODE_OBSERVE || (value.length > 0 && value.at[0] == '5'))
                return;
        element->judgement = JUDGED_STRICTER;
        element->why = why;
}

void restrict_unknown_client(struct import *import, struct element *element)
{
        /* Without keywords no name is generic, so that only those count that are missing or lead elsewhere. */
        draft_empty_list(&import->draft, draft_check(&import->draft, CHECK_dynamic_client), "keywords",
                         element->origin);
        require(import, element, CHECK_dynamic_client, "unknown_client_reject_code",
                "The client needs a name in DNS that leads back to it. Without it is refused (550), where "
                "Postfix puts it off (450).");
}

static void put_must_resolve(struct import *import, struct span origin)
{
        draft_word(&import->draft, draft_check(&import->draft, CHECK_helo_name), "must_resolve", SPAN("yes"),
                   origin);
}

void restrict_unknown_helo(struct import *import, struct element *element)
{
        if (element->mode == CHECK_MODE_ENFORCE)
                put_must_resolve(import, element->origin);
        else
                import->warned_helo_row = element->row;
        require(import, element, CHECK_helo_name, "unknown_hostname_reject_code",
                "The name needs an address record; MX records alone will not do. Without one it is refused "
                "(550), where Postfix puts it off (450).");
}

static void finish_helo(struct import *import)
{
        const struct draft_mode *mode = &import->draft.modes[CHECK_helo_name];
        struct report_row *row = import->warned_helo_row;
        bool resolves = draft_find(draft_check(&import->draft, CHECK_helo_name), "must_resolve").at != NULL;

        if (row == NULL || resolves)
                return;
        if (mode->mode != CHECK_MODE_ENFORCE) {
                put_must_resolve(import, row->place);
                return;
        }
        row->judgement = JUDGED_NOT_TRANSLATED;
        row->ours = "";
        row->why = "The check is enforced for what else it looks at, and a check has one mode.";
}

void restrict_finish(struct import *import)
{
        finish_helo(import);
        finish_mynetworks(import);
}

void restrict_unknown_sender(struct import *import, struct element *element)
{
        draft_word(&import->draft, draft_check(&import->draft, CHECK_sender_mx), "require",
                   SPAN("mx-or-address"), element->origin);
        require(import, element, CHECK_sender_mx, "unknown_address_reject_code",
                "A domain without MX and address records is refused (550), where Postfix puts it off (450); "
                "and MX records that lead to private addresses alone are as good as none.");
}
