/* Reads tables of recipients, and writes files of them. */
#include "workers/cli/import/rules/domains/people.h"

#include "conf/recipients/entry.h"
#include "conf/value/recipient/settings.h"
#include "core/base/local_part.h"
#include "workers/cli/import/cf/words.h"
#include "workers/cli/import/rules/domains/routes.h"

#include <stdlib.h>

#define ACCOUNTS     "/etc/passwd"
#define ACCOUNTS_MAX ((size_t)64 << 20)
#define SYSTEM_TABLE "unix:passwd.byname"

/* Tables by which recipients are known, and of whom. */
static const struct source {
        const char *setting;
        bool of_class[CLASSES];
        bool is_alias, has_paths;
} sources[] = {
    {"virtual_alias_maps", {true, true, true, true}, true, false},
    {"local_recipient_maps", {[CLASS_LOCAL] = true}, false, false},
    {"virtual_mailbox_maps", {[CLASS_MAILBOX] = true}, false, true},
    {"relay_recipient_maps", {[CLASS_RELAY] = true}, false, false},
};

void people_add(struct import *import, struct import_domain *domain, struct span local, struct span deliver,
                struct span path)
{
        struct import_person *person = keep_take(import->keep, sizeof *person);

        *person = (struct import_person){
            .local = local, .deliver = deliver, .path = path, .order = domain->count++};
        *domain->people_end = person;
        domain->people_end = &person->next;
}

/* ---- tables -------------------------------------------------------------------------------------------- */

/* An alias that stands for itself alone is a mailbox. */
static bool is_rewritten(struct span key, struct span value)
{
        struct span rest = value, word = cf_take_word(&rest);
        size_t at = span_find_last(key, '@');

        if (cf_trim(rest).length > 0)
                return true;
        return !span_equals_nocase(word, key) &&
               !(at != SIZE_MAX && span_equals_nocase(word, span_of(key.at, at)));
}

/* "user@domain", "@domain", or "user" in each local domain. */
static void take_key(struct import *import, struct import_domains *domains, const struct source *source,
                     struct span key, struct span deliver, struct span path)
{
        size_t at = span_find_last(key, '@');

        if (at != SIZE_MAX) {
                struct import_domain *domain = domains_find(domains, span_skip(key, at + 1));
                if (domain != NULL && source->of_class[domain->class])
                        people_add(import, domain, span_of(key.at, at), deliver, path);
                return;
        }
        for (struct import_domain *domain = domains->first; domain != NULL; domain = domain->next)
                if (domain->class == CLASS_LOCAL && source->of_class[CLASS_LOCAL])
                        people_add(import, domain, key, deliver, path);
}

static void take_table(struct import *import, struct import_domains *domains, const struct source *source,
                       const struct cf_table *table, bool is_alias)
{
        for (const struct cf_entry *entry = table->first; entry != NULL; entry = entry->next) {
                struct span key = entry->key;
                /* aliases(5) has a colon behind its keys. */
                if (is_alias && key.length > 1 && key.at[key.length - 1] == ':')
                        key.length--;
                /* virtual_alias_domains are keys as well. */
                if (is_alias && domains_find(domains, key) != NULL)
                        continue;
                bool goes_behind = is_alias && is_rewritten(key, entry->value);
                take_key(import, domains, source, key, goes_behind ? route_behind(import) : span_of("", 0),
                         source->has_paths ? entry->value : span_of("", 0));
        }
}

static bool take_accounts(struct import *import, struct import_domains *domains, const struct source *source,
                          size_t *ret_count)
{
        const char *path = import->wish.accounts == NULL ? ACCOUNTS : import->wish.accounts;
        struct span text;

        if (import->place.folder == NULL || !cf_file_read(import->keep, path, ACCOUNTS_MAX, &text))
                return false;
        while (text.length > 0) {
                size_t end = span_find(text, '\n');
                struct span line = span_of(text.at, end == SIZE_MAX ? text.length : end);
                size_t colon = span_find(line, ':');
                if (colon != SIZE_MAX && colon > 0) {
                        take_key(import, domains, source, span_of(line.at, colon), span_of("", 0),
                                 span_of("", 0));
                        (*ret_count)++;
                }
                text = span_skip(text, line.length + 1);
        }
        return true;
}

static void set_unsure(struct import_domains *domains, const struct source *source)
{
        for (struct import_domain *domain = domains->first; domain != NULL; domain = domain->next)
                if (source->of_class[domain->class]) {
                        domain->is_unsure = true;
                        domain->needs_postfix |= source->is_alias;
                }
}

static void tell_unread(struct import *import, struct import_domains *domains, const struct source *source,
                        struct span word, const struct cf_table *table)
{
        const char *why =
            table->state == CF_TABLE_FOREIGN ? "A server or patterns know them: the next hop is asked about "
                                               "recipients (callout:); a daemon can be asked by "
                                               "the protocol socketmap as well."
            : table->state == CF_TABLE_ABSENT
                ? "The table cannot be read here: the next hop is asked about recipients (callout:)."
                : keep_format(import->keep,
                              "Line %u of it: %s: the next hop is asked about recipients (callout:).",
                              table->fault.line, table->fault.message)
                      .at;

        set_unsure(domains, source);
        domains_tell(import, domains, source->setting, word, JUDGED_NOT_TRANSLATED, "recipients", why);
}

static void take_word(struct import *import, struct import_domains *domains, const struct source *source,
                      struct span word)
{
        struct span plain = span_starts_nocase(word, SPAN("proxy:")) ? span_skip(word, 6) : word;
        bool is_alias = source->is_alias || import_list_has(import, "alias_maps", word);
        struct cf_table table;
        size_t count = 0;

        if (span_equals(plain, SPAN(SYSTEM_TABLE)) && take_accounts(import, domains, source, &count)) {
                domains_tell(
                    import, domains, source->setting, word, JUDGED_SAME, "recipients",
                    keep_format(
                        import->keep,
                        "The accounts of this machine as they are now: %zu. New ones are to be added.", count)
                        .at);
                return;
        }
        import_table_read(import, word, &table);
        if (table.state != CF_TABLE_READ) {
                tell_unread(import, domains, source, word, &table);
                return;
        }
        take_table(import, domains, source, &table, is_alias);
        domains_tell(import, domains, source->setting, word, JUDGED_SAME, "recipients",
                     is_alias
                         ? keep_format(import->keep,
                                       "Known addresses: %zu. Whom they stand for Postfix knows: see above.",
                                       table.count)
                               .at
                         : keep_format(import->keep,
                                       "Known recipients as they are now: %zu. New ones are to be added.",
                                       table.count)
                               .at);
}

static bool has_class(const struct import_domains *domains, const struct source *source)
{
        for (enum domain_class class = 0; class < CLASSES; class ++)
                if (source->of_class[class] && domains->count[class] > 0)
                        return true;
        return false;
}

/* They are there before others of their name, and so take their place. */
static void take_refused(struct import *import, struct import_domains *domains)
{
        for (const struct import_refusal *refusal = import->refused; refusal != NULL;
             refusal = refusal->next) {
                size_t at = span_find_last(refusal->address, '@');
                struct import_domain *domain = domains_find(domains, span_skip(refusal->address, at + 1));
                if (domain == NULL)
                        continue;
                struct import_person **last = domain->people_end;
                people_add(import, domain, span_of(refusal->address.at, at), span_of("", 0), span_of("", 0));
                (*last)->refusal = refusal;
        }
}

void people_collect(struct import *import, struct import_domains *domains)
{
        take_refused(import, domains);
        for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
                const struct source *source = &sources[i];
                struct span value = import_value(import, source->setting), word;
                bool is_alias = source->is_alias;
                if (!has_class(domains, source))
                        continue;
                if (cf_trim(value).length == 0 && !is_alias) {
                        set_unsure(domains, source);
                        domains_tell(import, domains, source->setting, span_of("", 0), JUDGED_STRICTER,
                                     "recipients",
                                     "Postfix takes mail for whomever it is: here the next hop is asked "
                                     "about recipients (callout:).");
                }
                while ((word = cf_take_word(&value)).length > 0)
                        take_word(import, domains, source, word);
        }
}

/* ---- files --------------------------------------------------------------------------------------------- */

/* By name; of one name the first that was named. */
static int compare(const void *left, const void *right)
{
        const struct import_person *a = *(const struct import_person *const *)left,
                                   *b = *(const struct import_person *const *)right;
        size_t length = a->normal.length < b->normal.length ? a->normal.length : b->normal.length;
        int order = length == 0 ? 0 : memcmp(a->normal.at, b->normal.at, length);

        if (order != 0)
                return order;
        if (a->normal.length != b->normal.length)
                return a->normal.length < b->normal.length ? -1 : 1;
        return a->order < b->order ? -1 : a->order > b->order;
}

static struct span address_of(struct import *import, const struct import_domain *domain,
                              const struct import_person *person)
{
        return keep_format(import->keep, "%.*s@%.*s",
                           SPAN_ARG(person->local.length > 0 ? person->local : SPAN("*")),
                           SPAN_ARG(domain->name));
}

/* False: it cannot stand in a file of recipients. */
static bool normalise(struct import *import, const struct import_domain *domain, struct import_person *person)
{
        char octets[LOCAL_PART_MAX], normal_octets[LOCAL_PART_MAX], message[RECIPIENT_FAULT_MAX];
        struct span address = address_of(import, domain, person), name;
        struct text local, normal;

        text_over(&local, octets, sizeof octets);
        text_over(&normal, normal_octets, sizeof normal_octets);
        if (span_has_control(address) || span_find(address, ' ') != SIZE_MAX ||
            span_find(address, '#') != SIZE_MAX ||
            recipient_entry_read(address, &local, &name, message) != NULL ||
            !local_part_normalise(text_span(&local), true, &normal))
                return false;
        person->normal = keep_span(import->keep, text_span(&normal));
        return true;
}

static void write_person(struct import *import, struct import_file *file, const struct import_domain *domain,
                         const struct import_person *person)
{
        char message[RECIPIENT_FAULT_MAX];
        struct recipient_settings settings;
        struct span deliver = person->deliver, read;
        struct span address = address_of(import, domain, person);

        if (person->refusal != NULL)
                return;
        if (recipient_settings_read(keep_format(import->keep, "deliver=\"%.*s\"", SPAN_ARG(deliver)),
                                    &settings, &read, message) != NULL)
                deliver = deliver.length > 0 ? route_behind(import) : deliver;
        bool is_elsewhere =
            deliver.length > 0 && !span_equals(deliver, domain->deliver) && import->wish.deliver == NULL;
        import_line(import, file,
                    is_elsewhere ? keep_format(import->keep, "%.*s deliver=\"%.*s\"", SPAN_ARG(address),
                                               SPAN_ARG(deliver))
                                 : address);
}

static size_t write_all(struct import *import, struct import_file *file, const struct import_domain *domain)
{
        struct import_person **sorted = keep_take(import->keep, domain->count * sizeof(void *));
        size_t count = 0, unfit = 0;

        for (struct import_person *person = domain->people; person != NULL; person = person->next)
                if (normalise(import, domain, person))
                        sorted[count++] = person;
                else
                        unfit++;
        qsort(sorted, count, sizeof(void *), compare);
        for (size_t i = 0; i < count; i++)
                if (i == 0 || !span_equals(sorted[i]->normal, sorted[i - 1]->normal))
                        write_person(import, file, domain, sorted[i]);
        return unfit;
}

void people_tell_refused(struct import *import, const struct import_domain *domain, bool asks)
{
        bool takes_others = asks;
        size_t count = 0;

        for (const struct import_person *person = domain->people; person != NULL; person = person->next)
                takes_others |= person->local.length == 0 && person->refusal == NULL;
        for (const struct import_person *person = domain->people; takes_others && person != NULL;
             person = person->next)
                if (person->refusal != NULL) {
                        count++;
                        person->refusal->row->judgement = JUDGED_LAXER;
                        person->refusal->row->why =
                            "Addresses that it refuses are left out of the files of recipients. Where the "
                            "next hop is asked, or a catch-all takes the rest, they are taken: see above.";
                }
        if (count > 0)
                import_todo(
                    import,
                    "%.*s: %zu addresses that check_recipient_access refuses are taken where the next "
                    "hop knows them, or by a catch-all: let the next hop refuse them.",
                    SPAN_ARG(domain->name), count);
}

void people_write(struct import *import, struct draft_section *section, struct import_domain *domain)
{
        struct span name = keep_format(import->keep, "recipients/%.*s", SPAN_ARG(domain->name));
        size_t unfit = write_all(import, import_file(import, name), domain);

        draft_text(&import->draft, section, "recipients", name, domain->origin);
        if (unfit > 0)
                import_todo(
                    import,
                    "recipients/%.*s: %zu addresses cannot stand in it as they are, such as with blanks.",
                    SPAN_ARG(domain->name), unfit);
        if (import_file(import, name)->count > 0)
                return;
        draft_word(&import->draft, section, "allow_no_recipients", SPAN("yes"),
                   SPAN("nobody was found; postmaster gets mail"));
        import_todo(import, "recipients/%.*s names nobody: write those who live there into it.",
                    SPAN_ARG(domain->name));
}
