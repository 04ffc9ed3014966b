/* Access tables, an entry each. */
#include "workers/cli/import/rules/restrictions/access.h"

#include "core/base/domain_name.h"
#include "workers/cli/import/cf/words.h"
#include "workers/cli/import/rules/networks.h"
#include "workers/cli/import/rules/restrictions/zones.h"

#define DENIED_CLIENTS "lists/denied-clients.txt"
#define DENIED_SENDERS "lists/denied-senders.txt"
#define EXCEPTIONS_MAX 64

#define DENIED_WHY "Clients that it refuses are on a list of this site, in front of what else is asked."
#define TAKEN_WHY                                                                                            \
        "Clients that it lets in are exempt from all checks, and not from what stands behind it alone; "     \
        "those that it refuses are on a list of this site."
#define EXCEPTION_WHY                                                                                        \
        TAKEN_WHY                                                                                            \
        " Whom it does not let in within a network that it lets in is trusted like the rest of it: "         \
        "cut that network out of trusted_networks."

/* What an action says, as far as it matters here. */
enum action { ACTION_TAKE, ACTION_DENY, ACTION_NOTHING, ACTION_OTHER };

/* Of a table: what comes of its entries. Those without a counterpart let in, or refuse, whom we do not. */
struct tally {
        size_t taken, denied, passed_over, left_permitting, left_refusing;
};

/* Does what an entry says; false: it has no counterpart. */
typedef bool take_entry(struct import *import, const struct cf_entry *entry, enum action action,
                        struct span words, struct span origin);

static enum action action_of(struct span value, struct span *ret_words)
{
        struct span rest = value, word = cf_take_word(&rest);
        uint64_t number;

        *ret_words = cf_trim(rest);
        if (span_equals_nocase(word, SPAN("OK")) || span_equals_nocase(word, SPAN("PERMIT")))
                return ACTION_TAKE;
        if (span_equals_nocase(word, SPAN("REJECT")))
                return ACTION_DENY;
        if (span_equals_nocase(word, SPAN("DUNNO")))
                return ACTION_NOTHING;
        if (!span_number(word, &number))
                return ACTION_OTHER;
        return word.length != 3 ? ACTION_TAKE : number >= 500 && number < 600 ? ACTION_DENY : ACTION_OTHER;
}

/* ---- kinds of entries ---------------------------------------------------------------------------------- */

/* Behind a network: its value and why it is refused, in the format of rbldnsd(8). */
static struct span denial(struct import *import, struct span key, struct span words)
{
        bool is_fit = words.length > 0 && words.length < 200 && !span_has_control(words) &&
                      span_find(words, '$') == SIZE_MAX && span_is_ascii(words);
        return is_fit ? keep_format(import->keep, "%.*s :2:%.*s", SPAN_ARG(key), SPAN_ARG(words)) : key;
}

static bool take_client(struct import *import, const struct cf_entry *entry, enum action action,
                        struct span words, struct span origin)
{
        char octets[64];
        struct network network;
        struct text text;

        if (!network_of_postfix(entry->key, true, &network))
                return false;
        if (action == ACTION_TAKE)
                return networks_put(import, &import->draft.top, "trusted_networks", &network, origin);
        text_over(&text, octets, sizeof octets);
        network_write(&text, &network);
        struct span shown = text_span(&text);
        if (!zones_add_file(import, "clients.denied.invalid", DENIED_CLIENTS, false, origin))
                return false;
        struct import_file *file = import_file(import, SPAN(DENIED_CLIENTS));
        import_line(import, file,
                    action == ACTION_NOTHING ? keep_format(import->keep, "!%.*s", SPAN_ARG(shown))
                                             : denial(import, shown, words));
        if (action == ACTION_NOTHING)
                return true;
        draft_mode(&import->draft, CHECK_dnsbl, CHECK_MODE_ENFORCE, origin);
        return true;
}

/* Names that nobody may greet with. */
static bool take_helo(struct import *import, const struct cf_entry *entry, enum action action,
                      struct span words, struct span origin)
{
        (void)words;
        if (action != ACTION_DENY || !domain_name_is_valid(entry->key, false) ||
            !domain_name_is_qualified(entry->key))
                return false;
        draft_mode(&import->draft, CHECK_helo_impersonation, CHECK_MODE_ENFORCE, origin);
        return draft_item(&import->draft, draft_check(&import->draft, CHECK_helo_impersonation), "names",
                          entry->key, origin);
}

static bool take_sender(struct import *import, const struct cf_entry *entry, enum action action,
                        struct span words, struct span origin)
{
        struct span name = entry->key;
        bool has_dot = name.length > 0 && name.at[0] == '.';

        name = span_skip(name, has_dot);
        if (action != ACTION_DENY || !domain_name_is_valid(name, false) || !domain_name_is_qualified(name))
                return false;
        if (!zones_add_file(import, "senders.denied.invalid", DENIED_SENDERS, true, origin))
                return false;
        struct import_file *file = import_file(import, SPAN(DENIED_SENDERS));
        if (!has_dot)
                import_line(import, file, denial(import, name, words));
        /* Without its dot too the name means all below it (parent_domain_matches_subdomains). */
        import_line(import, file, denial(import, keep_format(import->keep, ".%.*s", SPAN_ARG(name)), words));
        draft_mode(&import->draft, CHECK_rhsbl, CHECK_MODE_ENFORCE, origin);
        return true;
}

static bool take_recipient(struct import *import, const struct cf_entry *entry, enum action action,
                           struct span words, struct span origin)
{
        (void)words;
        (void)origin;
        size_t at = span_find_last(entry->key, '@');
        if (action == ACTION_TAKE)
                return span_equals_nocase(span_of(entry->key.at, at == SIZE_MAX ? entry->key.length : at),
                                          SPAN("postmaster"));
        if (action != ACTION_DENY || at == SIZE_MAX || at == 0 || at + 1 == entry->key.length)
                return false;
        struct import_refusal *refusal = keep_take(import->keep, sizeof *refusal);
        *refusal = (struct import_refusal){import->refused, entry->key, import->refusing_row};
        import->refused = refusal;
        return true;
}

/* ---- tables -------------------------------------------------------------------------------------------- */

static void take_all(struct import *import, const struct cf_table *table, struct span origin,
                     take_entry *take, struct tally *tally)
{
        struct span words;

        for (const struct cf_entry *entry = table->first; entry != NULL; entry = entry->next) {
                enum action action = action_of(entry->value, &words);
                if (action == ACTION_NOTHING && take != take_client) {
                        tally->passed_over++;
                } else if (action == ACTION_OTHER || !take(import, entry, action, words, origin)) {
                        tally->left_permitting += action == ACTION_TAKE;
                        tally->left_refusing += action != ACTION_TAKE;
                } else {
                        tally->taken += action == ACTION_TAKE;
                        tally->denied += action == ACTION_DENY;
                }
        }
}

/* Whether an entry that is no OK lies within one that is: here the whole network is trusted. It looks at the first
 * of them alone, so that long tables take no time. */
static bool has_exception(const struct cf_table *table)
{
        struct network trusted[EXCEPTIONS_MAX], network;
        struct span words;
        size_t count = 0;

        for (const struct cf_entry *entry = table->first; entry != NULL && count < EXCEPTIONS_MAX;
             entry = entry->next)
                if (action_of(entry->value, &words) == ACTION_TAKE &&
                    network_of_postfix(entry->key, true, &trusted[count]))
                        count++;
        for (const struct cf_entry *entry = table->first; entry != NULL; entry = entry->next) {
                if (action_of(entry->value, &words) == ACTION_TAKE ||
                    !network_of_postfix(entry->key, true, &network))
                        continue;
                for (size_t i = 0; i < count; i++)
                        if (network.prefix > trusted[i].prefix &&
                            network_contains(&trusted[i], &network.address))
                                return true;
        }
        return false;
}

/* NULL: it can be read. */
static const char *fault_of(struct import *import, const struct cf_table *table)
{
        switch (table->state) {
        case CF_TABLE_READ:
                return NULL;
        case CF_TABLE_ABSENT:
                return keep_format(import->keep, "%.*s cannot be read here: import where it is.",
                                   SPAN_ARG(table->path))
                    .at;
        case CF_TABLE_BROKEN:
                return keep_format(import->keep, "%.*s:%u: %s.", SPAN_ARG(table->path), table->fault.line,
                                   table->fault.message)
                    .at;
        case CF_TABLE_FOREIGN:
                break;
        }
        return keep_format(import->keep,
                           "A table of type %.*s, by patterns or by a server, is not read; a policy "
                           "service can do what it does.",
                           SPAN_ARG(table->type))
            .at;
}

/* The judgement of a table of which some entries may have no counterpart. */
static const char *judge(struct import *import, const struct tally *tally, const char *what,
                         enum judgement usual, enum judgement *ret_judgement)
{
        size_t known = tally->taken + tally->denied, left = tally->left_permitting + tally->left_refusing;

        *ret_judgement = known + left == 0             ? JUDGED_NOT_NEEDED
                         : known == 0                  ? JUDGED_NOT_TRANSLATED
                         : tally->left_refusing > 0    ? JUDGED_LAXER
                         : tally->left_permitting == 0 ? usual
                         : usual == JUDGED_LAXER       ? JUDGED_LAXER
                                                       : JUDGED_STRICTER;
        if (left == 0)
                return known == 0 ? "The table says nothing." : what;
        return keep_format(import->keep,
                           "%s%sOf its entries %zu that let in, and %zu that do not, have no counterpart.",
                           known == 0 ? "" : what, known == 0 ? "" : " ", tally->left_permitting,
                           tally->left_refusing)
            .at;
}

/* What is told of clients, whether smtpd or postscreen has the table. */
static const char *judge_clients(struct import *import, const struct cf_table *table,
                                 const struct tally *tally, enum judgement *ret_judgement)
{
        const char *what = tally->taken == 0 ? DENIED_WHY : has_exception(table) ? EXCEPTION_WHY : TAKEN_WHY;
        return judge(import, tally, what, tally->taken > 0 ? JUDGED_LAXER : JUDGED_SAME, ret_judgement);
}

static void translate(struct import *import, struct element *element, take_entry *take, const char *ours,
                      const char *what, enum judgement usual)
{
        struct tally tally = {0};
        struct cf_table table;

        import_table_read(import, element->argument, &table);
        const char *fault = fault_of(import, &table);
        if (fault == NULL && element->mode == CHECK_MODE_OBSERVE)
                fault = "A table is not observed only.";
        if (fault != NULL) {
                element_not_translated(element, fault);
                return;
        }
        take_all(
            import, &table,
            keep_format(import->keep, "%.*s %.*s", SPAN_ARG(element->origin), SPAN_ARG(element->argument)),
            take, &tally);
        element->why = take == take_client ? judge_clients(import, &table, &tally, &element->judgement)
                                           : judge(import, &tally, what, usual, &element->judgement);
        element->ours = tally.taken + tally.denied > 0 ? ours : "";
}

bool access_take_clients(struct import *import, struct span word, struct span origin, const char **ret_why,
                         enum judgement *ret_judgement)
{
        struct tally tally = {0};
        struct cf_table table;

        import_table_read(import, word, &table);
        *ret_why = fault_of(import, &table);
        if (*ret_why != NULL)
                return false;
        take_all(import, &table, origin, take_client, &tally);
        *ret_why = judge_clients(import, &table, &tally, ret_judgement);
        return *ret_judgement != JUDGED_NOT_TRANSLATED;
}

void restrict_client_access(struct import *import, struct element *element)
{
        translate(import, element, take_client, "trusted_networks, zone in dnsbl", "", JUDGED_SAME);
}

void restrict_helo_access(struct import *import, struct element *element)
{
        translate(import, element, take_helo, "helo_impersonation.names",
                  "Nobody may greet with these names, nor with those below them, nor with names and "
                  "addresses of our own.",
                  JUDGED_STRICTER);
}

void restrict_sender_access(struct import *import, struct element *element)
{
        translate(import, element, take_sender, "zone in dnsbl, with names = yes",
                  "These domains are on a list of this site; clients that greet with them are refused too.",
                  JUDGED_STRICTER);
}

void restrict_recipient_access(struct import *import, struct element *element)
{
        element->is_of_recipients = true;
        import->refusing_row = element->row;
        translate(import, element, take_recipient, "recipients",
                  "Addresses that it refuses are left out of the files of recipients.", JUDGED_SAME);
}
