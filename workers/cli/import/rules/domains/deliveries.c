/* Transports of classes, of domains, and Maildirs. */
#include "workers/cli/import/rules/domains/deliveries.h"

#include "conf/value/path.h"
#include "workers/cli/import/cf/words.h"
#include "workers/cli/import/rules/domains/people.h"
#include "workers/cli/import/rules/domains/routes.h"

/* What a class of domains does. */
struct usual {
        struct span deliver, origin;
};

#define MAILDIR_MAX 900 /* octets: settings of a recipient have 1000 */
#define DEVIATING_MAX                                                                                        \
        4000 /* recipients whose Maildir is elsewhere: a list has 4096 different settings at most */

#define STAYS "Mail goes on to Postfix, which does it as before: see above."

static struct usual behind(struct import *import, const char *why)
{
        return (struct usual){route_behind(import), span_from(why)};
}

/* A setting that names a transport: ours, or Postfix's affair. */
static bool take_transport(struct import *import, struct import_domains *domains, const char *setting,
                           struct usual *ret_usual)
{
        struct span value = import_value(import, setting), route = route_of_transport(import, value);

        if (!import_is_set(import, setting) || value.length == 0)
                return false;
        domains_tell(
            import, domains, setting, span_of("", 0), route.length > 0 ? JUDGED_SAME : JUDGED_NOT_TRANSLATED,
            "deliver",
            route.length > 0
                ? "The next hop is asked while the client waits; with a journal mail waits for it here."
                : STAYS);
        *ret_usual = route.length > 0 ? (struct usual){route, import_origin(import, setting)}
                                      : behind(import, "this transport is Postfix's own");
        return true;
}

/* Whether `deliver`, "maildir:..." for a domain of so long a name, is what both a section and a file of recipients
 * take. */
static bool maildir_fits(struct import *import, struct span deliver, size_t domain_length)
{
        const char *path = path_resolve(span_skip(deliver, sizeof "maildir:" - 1), "/", &import->keep->arena);

        return path != NULL && deliver.length <= MAILDIR_MAX && draft_takes(deliver) &&
               span_find(deliver, '"') == SIZE_MAX && span_find(deliver, '\\') == SIZE_MAX &&
               mailbox_path_fault(path) == NULL && !mailbox_path_has_long_component(path, domain_length);
}

static struct usual of_local(struct import *import, struct import_domains *domains)
{
        struct usual usual;
        struct span home = import_value(import, "home_mailbox");
        bool has_program = import_value(import, "mailbox_command").length > 0;

        if (take_transport(import, domains, "mailbox_transport", &usual) ||
            take_transport(import, domains, "local_transport", &usual))
                return usual;
        struct span deliver = keep_format(import->keep, "maildir:/home/%%u/%.*s",
                                          (int)home.length - (home.length > 0), home.at);
        bool is_maildir = home.length > 1 && home.at[home.length - 1] == '/' && home.at[0] != '/' &&
                          span_find(home, '%') == SIZE_MAX && !has_program &&
                          maildir_fits(import, deliver, 0);
        if (home.length > 0)
                domains_tell(
                    import, domains, "home_mailbox", span_of("", 0),
                    is_maildir ? JUDGED_LAXER : JUDGED_NOT_TRANSLATED, "deliver",
                    is_maildir
                        ? "All mail is written by the server's own user, below /home; .forward is not read."
                        : STAYS);
        if (!is_maildir)
                return behind(import, "local mailboxes are Postfix's own");
        import_todo(import, "The user that serves must be able to write to the Maildirs below /home; a "
                            "mail store that takes LMTP is the better way.");
        return (struct usual){deliver, import_origin(import, "home_mailbox")};
}

static struct usual of_mailboxes(struct import *import, struct import_domains *domains)
{
        struct usual usual;

        if (!span_equals(import_value(import, "virtual_transport"), SPAN("virtual")) &&
            take_transport(import, domains, "virtual_transport", &usual))
                return usual;
        return (struct usual){span_of("", 0), span_of("", 0)}; /* Maildirs: when their paths are known */
}

static struct usual of_relays(struct import *import, struct import_domains *domains)
{
        struct usual usual;
        struct span host = import_value(import, "relayhost"), route = route_of_host(import, host);

        if (!span_equals(import_value(import, "relay_transport"), SPAN("relay")) &&
            take_transport(import, domains, "relay_transport", &usual))
                return usual;
        if (host.length > 0 && domains->count[CLASS_RELAY] > 0)
                domains_tell(import, domains, "relayhost", span_of("", 0),
                             route.length > 0 ? JUDGED_SAME : JUDGED_NOT_TRANSLATED, "deliver",
                             route.length > 0 ? "Mail for relay_domains goes there, by its address records."
                                              : STAYS);
        else
                import->report.sending += host.length > 0;
        return route.length > 0 ? (struct usual){route, import_origin(import, "relayhost")}
                                : behind(import, "no next hop is named, and MX records are not followed");
}

/* ---- transport_maps ------------------------------------------------------------------------------------ */

/* "domain", or "user@domain", with a transport that is a next hop. ":[host]" is the class's transport. */
static bool take_entry(struct import *import, struct import_domains *domains, const struct cf_entry *entry,
                       struct span origin)
{
        struct span value = entry->value;
        size_t at = span_find_last(entry->key, '@');
        struct import_domain *domain =
            domains_find(domains, span_skip(entry->key, at == SIZE_MAX ? 0 : at + 1));

        if (domain == NULL)
                return true; /* it is about mail for others */
        if (value.length > 0 && value.at[0] == ':')
                value = keep_format(import->keep, "smtp%.*s", SPAN_ARG(value));
        struct span route = route_of_transport(import, value);
        if (at != SIZE_MAX) {
                people_add(import, domain, span_of(entry->key.at, at),
                           route.length > 0 ? route : route_behind(import), span_of("", 0));
                return route.length > 0;
        }
        bool is_usual = span_equals(value, SPAN("virtual:")) || span_equals(value, SPAN("local:")) ||
                        span_equals(value, SPAN("virtual")) || span_equals(value, SPAN("local"));
        if (is_usual)
                return true;
        domain->deliver = route.length > 0 ? route : route_behind(import);
        domain->deliver_origin = origin;
        return route.length > 0;
}

static void take_tables(struct import *import, struct import_domains *domains)
{
        struct span value = import_value(import, "transport_maps"), word;

        while ((word = cf_take_word(&value)).length > 0) {
                struct span origin = import_word_origin(import, "transport_maps", word);
                struct cf_table table;
                size_t left = 0;
                import_table_read(import, word, &table);
                if (table.state != CF_TABLE_READ) {
                        import_todo(import,
                                    "transport_maps: %.*s cannot be read here; set deliver of domains that "
                                    "it routes.",
                                    SPAN_ARG(word));
                        domains_tell(import, domains, "transport_maps", word, JUDGED_NOT_TRANSLATED,
                                     "deliver", "The table cannot be read here.");
                        continue;
                }
                for (const struct cf_entry *entry = table.first; entry != NULL; entry = entry->next)
                        left += !take_entry(import, domains, entry, origin);
                domains_tell(import, domains, "transport_maps", word, left > 0 ? JUDGED_LAXER : JUDGED_SAME,
                             "deliver",
                             left > 0 ? "Next hops of domains and recipients of ours. Transports that are no "
                                        "next hops stay Postfix's: see above."
                                      : "Next hops of domains and recipients of ours.");
        }
}

void deliveries_choose(struct import *import, struct import_domains *domains)
{
        const struct usual usual[CLASSES] = {
            [CLASS_LOCAL] = of_local(import, domains),
            [CLASS_ALIAS] = behind(import, "Postfix knows whom these addresses stand for"),
            [CLASS_MAILBOX] = of_mailboxes(import, domains),
            [CLASS_RELAY] = of_relays(import, domains),
        };

        for (struct import_domain *domain = domains->first; domain != NULL; domain = domain->next) {
                domain->deliver = usual[domain->class].deliver;
                domain->deliver_origin = usual[domain->class].origin;
        }
        take_tables(import, domains);
        for (struct import_domain *domain = domains->first; import->wish.deliver != NULL && domain != NULL;
             domain = domain->next) {
                domain->deliver = span_from(import->wish.deliver);
                domain->deliver_origin = SPAN("--deliver");
        }
}

/* ---- Maildirs of virtual domains ------------------------------------------------------------------------ */

/* Where the part stands alone between slashes, dots and the like, from `start` on; SIZE_MAX: nowhere. */
static size_t find_part(struct span path, struct span part, size_t start)
{
        for (size_t i = start; part.length > 0 && i + part.length <= path.length; i++) {
                size_t end = i + part.length;
                if (memcmp(path.at + i, part.at, part.length) == 0 &&
                    (i == 0 || !ascii_is_alnum(path.at[i - 1])) &&
                    (end == path.length || !ascii_is_alnum(path.at[end])))
                        return i;
        }
        return SIZE_MAX;
}

static struct span with_mark(struct import *import, struct span path, size_t at, size_t length,
                             const char *mark)
{
        return keep_format(import->keep, "%.*s%s%.*s", (int)at, path.at, mark,
                           SPAN_ARG(span_skip(path, at + length)));
}

/* A local part of which a mailbox has the very octets, without letter case. */
static bool is_plain(struct span local)
{
        for (size_t i = 0; i < local.length; i++)
                if (!ascii_is_alnum(local.at[i]) && span_find(SPAN("._-+="), local.at[i]) == SIZE_MAX)
                        return false;
        return local.length > 0 && local.at[0] != '.';
}

/* "example.com/alice/" is "%d/%u"; empty: it is no Maildir, or has no local part. */
static struct span pattern_of(struct import *import, const struct import_domain *domain,
                              const struct import_person *person)
{
        struct span path = person->path, none = span_of("", 0);
        struct span local = keep_lower(import->keep, person->local);

        if (path.length < 2 || path.at[path.length - 1] != '/' || span_find(path, '%') != SIZE_MAX ||
            !is_plain(local))
                return none;
        path.length--;
        size_t at = find_part(path, domain->name, 0), start = 0;
        if (at != SIZE_MAX) {
                path = with_mark(import, path, at, domain->name.length, "%d");
                start = at + 2;
        }
        at = find_part(path, local, start);
        return at == SIZE_MAX ? none : with_mark(import, path, at, local.length, "%u");
}

/* The pattern of the first who has one is the domain's; that of others stands behind their names. A Maildir whose path
 * does not have the local part stays Postfix's. */
static void choose_maildirs(struct import *import, struct import_domain *domain, struct span base)
{
        struct span usual = span_of("", 0);
        size_t deviating = 0;

        for (struct import_person *person = domain->people; person != NULL; person = person->next) {
                if (person->path.length == 0 || person->deliver.length > 0)
                        continue;
                struct span pattern = pattern_of(import, domain, person);
                struct span deliver =
                    keep_format(import->keep, "maildir:%.*s/%.*s", SPAN_ARG(base), SPAN_ARG(pattern));
                if (pattern.length == 0 || deviating == DEVIATING_MAX ||
                    !maildir_fits(import, deliver, domain->name.length))
                        person->deliver = route_behind(import);
                else if (usual.length == 0)
                        usual = deliver;
                else if (!span_equals(deliver, usual)) {
                        person->deliver = deliver;
                        deviating++;
                }
        }
        if (usual.length == 0)
                return;
        domain->deliver = usual;
        domain->deliver_origin = import_origin(import, "virtual_mailbox_base");
}

void deliveries_by_path(struct import *import, struct import_domains *domains)
{
        struct span base = import_value(import, "virtual_mailbox_base");
        bool is_base =
            base.length > 0 && base.at[0] == '/' && draft_takes(base) && span_find(base, '%') == SIZE_MAX;
        bool has_maildirs = false;

        while (base.length > 1 && base.at[base.length - 1] == '/')
                base.length--;
        for (struct import_domain *domain = domains->first; domain != NULL; domain = domain->next) {
                if (domain->deliver.length > 0)
                        continue;
                if (is_base && !domain->is_unsure)
                        choose_maildirs(import, domain, base);
                has_maildirs |= domain->deliver.length > 0;
                if (domain->deliver.length > 0)
                        continue;
                domain->deliver = route_behind(import);
                domain->deliver_origin = SPAN("mailboxes of Postfix's own");
        }
        if (base.length == 0)
                return;
        domains_tell(import, domains, "virtual_mailbox_base", span_of("", 0),
                     has_maildirs ? JUDGED_SAME : JUDGED_NOT_NEEDED, "deliver",
                     has_maildirs
                         ? "The Maildirs that virtual_mailbox_maps names, written by the server's own user."
                         : "No mail goes there from here.");
        if (has_maildirs)
                import_todo(import, "The user that serves must be able to write to the Maildirs below %.*s.",
                            SPAN_ARG(base));
}

/* ---- Postfix behind ------------------------------------------------------------------------------------ */

void deliveries_tell_behind(struct import *import, const struct import_domains *domains)
{
        struct span hop = route_behind(import);
        size_t whole = 0, people = 0;

        for (const struct import_domain *domain = domains->first; domain != NULL; domain = domain->next) {
                bool is_behind = span_equals(domain->deliver, hop);
                whole += is_behind;
                for (const struct import_person *person = domain->people; !is_behind && person != NULL;
                     person = person->next)
                        people += span_equals(person->deliver, hop);
        }
        if (whole + people == 0)
                return;
        import_todo(
            import,
            "Mail goes on to Postfix at %.*s, for aliases, mailboxes and transports that only it knows: "
            "that of %zu domain%s, and of %zu single recipient%s. Let it listen there, by a line of "
            "master.cf such as: 127.0.0.1:10025 inet n - n - - smtpd -o "
            "smtpd_client_restrictions=permit_mynetworks,reject. Or set deliver to where mail belongs.",
            SPAN_ARG(hop), whole, whole == 1 ? "" : "s", people, people == 1 ? "" : "s");
}
