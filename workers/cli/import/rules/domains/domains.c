/* Finds the domains, and writes their sections. */
#include "workers/cli/import/rules/domains/domains.h"

#include "core/base/domain_name.h"
#include "workers/cli/import/cf/words.h"
#include "workers/cli/import/rules/domains/deliveries.h"
#include "workers/cli/import/rules/domains/people.h"
#include "workers/cli/import/rules/domains/routes.h"

#include <xxhash.h>

#define DOMAINS_MAX 100000

static const char *const lists[CLASSES] = {
    [CLASS_LOCAL] = "mydestination",
    [CLASS_ALIAS] = "virtual_alias_domains",
    [CLASS_MAILBOX] = "virtual_mailbox_domains",
    [CLASS_RELAY] = "relay_domains",
};

void domains_tell(struct import *import, struct import_domains *domains, const char *setting,
                  struct span theirs, enum judgement judgement, const char *ours, const char *why)
{
        const struct report_row row = {
            .place = import_place(import, setting, theirs),
            .theirs = keep_format(import->keep, "%s = %.*s", setting,
                                  SPAN_ARG(theirs.length > 0 ? theirs : import_value(import, setting))),
            .judgement = judgement,
            .ours = ours,
            .why = why,
        };
        report_add(&import->report, domains->report, &row);
}

/* ---- finding them -------------------------------------------------------------------------------------- */

static struct import_domain **bucket_of(const struct import_domains *domains, struct span name)
{
        return (struct import_domain **)&domains->buckets[XXH3_64bits(name.at, name.length) % DOMAIN_BUCKETS];
}

struct import_domain *domains_find(const struct import_domains *domains, struct span name)
{
        char octets[DOMAIN_NAME_MAX];
        struct text text;

        text_over(&text, octets, sizeof octets);
        text_put_lower(&text, name);
        for (struct import_domain *domain = *bucket_of(domains, text_span(&text)); domain != NULL;
             domain = domain->next_in_bucket)
                if (span_equals(domain->name, text_span(&text)))
                        return domain;
        return NULL;
}

/* Names without a dot, such as localhost, nobody writes to from outside. */
static bool is_public(struct span name)
{
        return domain_name_is_valid(name, false) && domain_name_is_qualified(name) &&
               !span_starts_nocase(name, SPAN("localhost.")) && !span_ends_nocase(name, SPAN(".localdomain"));
}

static void add(struct import *import, struct import_domains *domains, enum domain_class class,
                struct span name)
{
        struct import_domain *domain = domains_find(domains, name);

        if (domain != NULL || domains->count[class] == DOMAINS_MAX)
                return;
        domain = keep_take(import->keep, sizeof *domain);
        domain->name = keep_lower(import->keep, name);
        domain->class = class;
        domain->people_end = &domain->people;
        domain->origin = import_word_origin(import, lists[class], name);
        *domains->end = domain;
        domains->end = &domain->next;
        struct import_domain **bucket = bucket_of(domains, domain->name);
        domain->next_in_bucket = *bucket;
        *bucket = domain;
        domains->count[class]++;
}

/* The rest of a list that is not read, for the report. */
struct unread {
        size_t inside, tables;
};

static void add_table(struct import *import, struct import_domains *domains, enum domain_class class,
                      struct span word, struct unread *unread)
{
        struct cf_table table;

        import_table_read(import, word, &table);
        unread->tables += table.state != CF_TABLE_READ;
        if (table.state != CF_TABLE_READ)
                return;
        /* Where the domains are those of a table of addresses, each of these has its domain as an entry of its own. */
        for (const struct cf_entry *entry = table.first; entry != NULL; entry = entry->next)
                if (is_public(entry->key))
                        add(import, domains, class, entry->key);
}

static void tell_list(struct import *import, struct import_domains *domains, enum domain_class class,
                      const struct unread *unread)
{
        const char *why = class == CLASS_RELAY
                              ? "Each domain has a section; those below it need sections of their own."
                              : "Each domain has a section.";

        if (unread->inside > 0)
                why = keep_format(
                          import->keep,
                          "%s Left out: %zu that nobody outside writes to, such as localhost, or that are no "
                          "names.",
                          why, unread->inside)
                          .at;
        if (unread->tables > 0)
                import_todo(import, "%s: domains in tables that cannot be read here need sections `domain`.",
                            lists[class]);
        domains_tell(import, domains, lists[class], span_of("", 0),
                     unread->tables > 0     ? JUDGED_NOT_TRANSLATED
                     : class == CLASS_RELAY ? JUDGED_STRICTER
                                            : JUDGED_SAME,
                     keep_format(import->keep, "domain (%zu)", domains->count[class]).at,
                     unread->tables > 0 ? "Not all tables with domains can be read here." : why);
}

static void collect(struct import *import, struct import_domains *domains, enum domain_class class)
{
        struct span value = import_value(import, lists[class]), word;
        struct unread unread = {0};

        while ((word = cf_take_word(&value)).length > 0)
                if (cf_is_table(word))
                        add_table(import, domains, class, word, &unread);
                else if (is_public(word))
                        add(import, domains, class, word);
                else
                        unread.inside++;
        if (import_is_set(import, lists[class]) || domains->count[class] > 0)
                tell_list(import, domains, class, &unread);
}

/* ---- their sections ------------------------------------------------------------------------------------ */

static bool has_aliases(const struct import_domain *domain)
{
        for (const struct import_person *person = domain->people; person != NULL; person = person->next)
                if (person->deliver.length > 0 && !span_equals(person->deliver, domain->deliver))
                        return true;
        return false;
}

static void write_domain(struct import *import, struct import_domain *domain, struct span extension)
{
        struct draft_section *section = draft_section(&import->draft, NULL, "domain", domain->name);

        /* Whoever knows the recipients is asked. A Maildir does not, and a mail store knows no aliases of Postfix. */
        bool is_hop = !span_starts_nocase(domain->deliver, SPAN("maildir:")) &&
                      !span_starts_nocase(domain->deliver, SPAN("discard:"));
        if (domain->is_unsure && (!is_hop || domain->needs_postfix || has_aliases(domain)) &&
            import->wish.deliver == NULL) {
                domain->deliver = route_behind(import);
                domain->deliver_origin = SPAN("who the recipients are is known to Postfix alone");
                is_hop = true;
        }
        /* Next hops of single recipients stand in a file alone, and it has those whom the next hop does not know. */
        bool has_ways = has_aliases(domain) && import->wish.deliver == NULL;
        if (import->asks_recipients && !domain->is_unsure && (!is_hop || has_ways)) {
                import->callout_row->judgement = JUDGED_LAXER;
                import->callout_row->why =
                    "Where single recipients have aliases or next hops of their own, or "
                    "where there are Maildirs, the tables alone say who is known.";
        }
        bool asks = is_hop && (domain->is_unsure || (import->asks_recipients && !has_ways));
        people_tell_refused(import, domain, asks);
        if (asks)
                draft_text(&import->draft, section, "recipients", SPAN("callout:"), domain->origin);
        else
                people_write(import, section, domain);
        draft_text(&import->draft, section, "deliver", domain->deliver, domain->deliver_origin);
        if (extension.length > 0)
                draft_text(&import->draft, section, "extension", extension,
                           import_origin(import, "recipient_delimiter"));
}

static struct span read_extension(struct import *import, struct import_domains *domains)
{
        struct span value = import_value(import, "recipient_delimiter");

        if (!import_is_set(import, "recipient_delimiter"))
                return span_of("", 0);
        bool is_fit = value.length > 0 && ascii_is_atext(value.at[0]) && !ascii_is_alnum(value.at[0]);
        if (value.length > 0)
                domains_tell(
                    import, domains, "recipient_delimiter", span_of("", 0),
                    !is_fit            ? JUDGED_NOT_TRANSLATED
                    : value.length > 1 ? JUDGED_STRICTER
                                       : JUDGED_SAME,
                    is_fit ? "extension" : "",
                    !is_fit ? "An extension begins with a special character such as +, and not with this one."
                    : value.length > 1 ? "One character begins an extension: the first one is taken."
                                       : "It begins an extension.");
        return is_fit ? span_of(value.at, 1) : span_of("", 0);
}

void domains_translate(struct import *import)
{
        struct import_domains *domains = keep_take(import->keep, sizeof *domains);

        domains->end = &domains->first;
        domains->report = report_begin_list(&import->report, SPAN("Domains, recipients and next hops"));
        for (enum domain_class class = 0; class < CLASSES; class ++)
                collect(import, domains, class);
        struct span extension = read_extension(import, domains);
        deliveries_choose(import, domains);
        people_collect(import, domains);
        deliveries_by_path(import, domains);
        for (struct import_domain *domain = domains->first; domain != NULL; domain = domain->next)
                write_domain(import, domain, extension);
        if (domains->first == NULL) {
                draft_word(&import->draft, &import->draft.top, "allow_no_domains", SPAN("yes"),
                           SPAN("no domain was found"));
                import_todo(import, "No domain was found: write a section `domain` for each, and take "
                                    "allow_no_domains away.");
        }
        deliveries_tell_behind(import, domains);
}
