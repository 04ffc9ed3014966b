/* Making and freeing a snapshot, and looking things up in it. */
#include "conf/snapshot.h"

#include "core/base/domain_name.h"
#include "core/base/local_part.h"

#include <errno.h>
#include <libpsl.h>
#include <stdlib.h>

#define BLOCK_SIZE  ((size_t)16 << 10)
#define MAILBOX_MAX 1024 /* octets of a local part, normalised, with its extension */

/* ---- looking up ---------------------------------------------------------------------------------------- */

#define FOLDED_SIZE (DOMAIN_NAME_MAX + 1) /* whole vectors: else gcc 12 warns of the loop that it makes */

/* Lower case into `octets`, of FOLDED_SIZE; an empty span when it is longer. */
static struct span fold_name(struct span name, char *octets)
{
        if (name.length > DOMAIN_NAME_MAX)
                return span_of(octets, 0);
        for (size_t i = 0; i < name.length; i++)
                octets[i] = ascii_lower(name.at[i]);
        return span_of(octets, name.length);
}

const struct domain *snapshot_find_domain(const struct snapshot *snapshot, struct span name)
{
        char octets[FOLDED_SIZE];
        uint32_t index;

        if (!name_table_find(&snapshot->domain_names, fold_name(name, octets), &index))
                return NULL;
        return &snapshot->domains[index];
}

/* The name of the table that `name`, in lower case, equals or lies below; an empty span: there is none. Only as
 * many labels are looked at as a name in the table has at most: strangers' names may have 127. */
static struct span name_above(const struct snapshot *snapshot, const struct name_table *table,
                              struct span name, uint32_t *ret_value)
{
        size_t labels = 1, at = name.length;

        for (; at > 0; at--)
                if (name.at[at - 1] == '.' && labels++ == snapshot->name_labels_max)
                        break;
        name = span_skip(name, at);
        while (name.length > 0 && !name_table_find(table, name, ret_value)) {
                size_t dot = span_find(name, '.');
                name = span_skip(name, dot == SIZE_MAX ? name.length : dot + 1);
        }
        return name;
}

struct span snapshot_own_name(const struct snapshot *snapshot, struct span name)
{
        char octets[FOLDED_SIZE];
        uint32_t offset;

        name = name_above(snapshot, &snapshot->own_names, fold_name(name, octets), &offset);
        if (name.length == 0)
                return span_of(NULL, 0);
        /* The value is the offset of the entry; the name follows its header of length and value. */
        return span_of(snapshot->own_names.octets + offset + sizeof(uint16_t) + sizeof(uint32_t),
                       name.length);
}

bool snapshot_is_reference_name(const struct snapshot *snapshot, struct span name)
{
        char octets[FOLDED_SIZE];
        return name_above(snapshot, &snapshot->reference_names, fold_name(name, octets), NULL).length > 0;
}

static enum recipient_answer find_one(const struct domain *domain, struct span mailbox,
                                      const struct recipient_settings **ret_settings)
{
        uint32_t set = 0;

        *ret_settings = NULL;
        if (domain->map == NULL && !name_table_find(&domain->recipients, mailbox, &set))
                return RECIPIENT_UNKNOWN;
        if (domain->map != NULL) {
                enum recipient_answer answer = recipient_map_find(domain->map, domain->name, mailbox, &set);
                if (answer != RECIPIENT_KNOWN)
                        return answer;
        }
        if (set == 0)
                return RECIPIENT_KNOWN;
        if (domain->sets == NULL || set > domain->sets->count)
                return RECIPIENT_UNREADABLE;
        *ret_settings = &domain->sets->sets[set - 1];
        return RECIPIENT_KNOWN;
}

/* What `mailbox` is known as: itself, without its extension, or postmaster. */
static enum recipient_answer find_known(const struct domain *domain, struct span *mailbox,
                                        const struct recipient_settings **ret_settings)
{
        size_t cut = domain->options.extension[0] == '\0' ? SIZE_MAX
                                                          : span_find(*mailbox, domain->options.extension[0]);
        bool is_here = domain->origin == RECIPIENTS_HERE;
        enum recipient_answer answer = RECIPIENT_KNOWN;

        *ret_settings = NULL;
        if (is_here)
                answer = find_one(domain, *mailbox, ret_settings);
        else if (cut != SIZE_MAX && cut > 0)
                mailbox->length = cut;
        if (answer == RECIPIENT_UNKNOWN && cut != SIZE_MAX && cut > 0) {
                mailbox->length = cut;
                answer = find_one(domain, *mailbox, ret_settings);
        }
        bool is_postmaster = span_equals_nocase(*mailbox, SPAN("postmaster"));
        if (!is_postmaster || (answer == RECIPIENT_KNOWN && is_here))
                return answer;
        *mailbox = SPAN("postmaster"); /* RFC 5321 4.5.1 */
        return RECIPIENT_KNOWN;
}

enum recipient_answer domain_find_recipient(const struct domain *domain, struct span local_part,
                                            struct text *ret_mailbox)
{
        const struct recipient_settings *settings;
        return domain_find_settings(domain, local_part, ret_mailbox, &settings);
}

enum recipient_answer domain_find_catch_all(const struct domain *domain,
                                            const struct recipient_settings **ret_settings)
{
        return find_one(domain_of_mailboxes(domain), SPAN(RECIPIENT_CATCH_ALL), ret_settings);
}

enum recipient_answer domain_find_settings(const struct domain *domain, struct span local_part,
                                           struct text *ret_mailbox,
                                           const struct recipient_settings **ret_settings)
{
        char octets[MAILBOX_MAX];
        struct text normal;

        text_over(&normal, octets, sizeof octets);
        *ret_settings = NULL;
        domain = domain_of_mailboxes(domain);
        errno = 0;
        if (!local_part_normalise(local_part, domain->options.local_part_case == LOCAL_PART_FOLD, &normal))
                return errno == ENOMEM ? RECIPIENT_UNREADABLE : RECIPIENT_UNKNOWN;
        struct span mailbox = text_span(&normal);
        enum recipient_answer answer = find_known(domain, &mailbox, ret_settings);
        if (answer == RECIPIENT_KNOWN && mailbox.length > text_room(ret_mailbox))
                return RECIPIENT_UNKNOWN;
        if (answer == RECIPIENT_KNOWN)
                text_put(ret_mailbox, mailbox);
        return answer;
}

bool endpoint_list_contains(const struct endpoint_list *list, const struct endpoint *endpoint)
{
        for (size_t i = 0; i < list->count; i++)
                if (endpoint_equals(&list->endpoints[i], endpoint))
                        return true;
        return false;
}

bool snapshot_has_tls(const struct snapshot *snapshot)
{
        return snapshot->options.tls_certificate.count > 0;
}

/* ---- terms --------------------------------------------------------------------------------------------- */

const char *const ehlo_keyword_names[EHLO_KEYWORD_COUNT] = {
    [EHLO_8BITMIME] = "8BITMIME",
    [EHLO_SMTPUTF8] = "SMTPUTF8",
    [EHLO_ENHANCEDSTATUSCODES] = "ENHANCEDSTATUSCODES",
    [EHLO_STARTTLS] = "STARTTLS",
    [EHLO_XCLIENT] = "XCLIENT",
    [EHLO_LIMITS] = "LIMITS",
    [EHLO_SIZE] = "SIZE",
};

const struct terms *snapshot_listener_terms(const struct snapshot *snapshot, const struct address *address,
                                            uint16_t port)
{
        const struct terms_list *list = &snapshot->listener_terms;

        for (const struct terms *terms = list->sections; terms < list->sections + list->count; terms++)
                if (terms->listener.port == port && address_equals(&terms->listener.address, address))
                        return terms;
        return NULL;
}

/* Takes over what `terms` sets and nothing in *set has set yet. */
static void take_terms(const struct terms *terms, struct terms_options *options, uint32_t *set)
{
        uint32_t news = terms->sets & ~*set, bit = 1;

#define TERMS_OPTION(name, type, ...)                                                                        \
        if (news & bit)                                                                                      \
                options->OPTION_NAME_##type(name) = terms->options.OPTION_NAME_##type(name);                 \
        bit <<= 1;
#include "conf/options.def"
        *set |= news;
}

struct terms_options snapshot_terms(const struct snapshot *snapshot, const struct terms *listener,
                                    const struct address *client)
{
        const struct terms_list *networks = &snapshot->network_terms;
        struct terms_options options = {
#define TERMS_OPTION(name, type, ...) .OPTION_NAME_##type(name) = snapshot->options.OPTION_NAME_##type(name),
#include "conf/options.def"
        };
        uint32_t set = 0;

        for (size_t i = 0; i < networks->count; i++)
                if (network_contains(&networks->sections[i].network, client))
                        take_terms(&networks->sections[i], &options, &set);
        if (listener != NULL)
                take_terms(listener, &options, &set);
        return options;
}

/* ---- building ------------------------------------------------------------------------------------------ */

static bool zones_are_files(const struct snapshot *snapshot, bool of_names)
{
        size_t files = 0;

        for (size_t i = 0; i < snapshot->zone_count; i++) {
                const struct zone_options *zone = &snapshot->zones[i].options;
                if (zone->names != of_names)
                        continue;
                if (zone->file.count == 0)
                        return false;
                files++;
        }
        return files > 0;
}

bool snapshot_lacks_dns(const struct snapshot *snapshot, enum check_id check)
{
        if (check_infos[check].needs != NEEDS_DNS || snapshot->options.resolvers.count > 0)
                return false;
        bool is_of_zones = check == CHECK_dnsbl || check == CHECK_rhsbl;
        return !is_of_zones || !zones_are_files(snapshot, check == CHECK_rhsbl);
}

struct snapshot *snapshot_new(void)
{
        struct snapshot *snapshot = calloc(1, sizeof *snapshot);
        if (snapshot == NULL)
                return NULL;
        block_pool_init(&snapshot->memory_pool, BLOCK_SIZE, 0);
        arena_init(&snapshot->memory, &snapshot->memory_pool, SIZE_MAX / 2);
        return snapshot;
}

void snapshot_free(struct snapshot *snapshot)
{
        if (snapshot == NULL)
                return;
        for (size_t i = 0; i < snapshot->domain_count; i++)
                name_table_end(&snapshot->domains[i].recipients);
        for (const struct snapshot_map *map = snapshot->maps; map != NULL; map = map->next)
                recipient_map_close(map->map);
        name_table_end(&snapshot->domain_names);
        name_table_end(&snapshot->tlds);
        name_table_end(&snapshot->own_names);
        name_table_end(&snapshot->reference_names);
        psl_free((psl_ctx_t *)snapshot->suffixes);
        arena_end(&snapshot->memory);
        block_pool_end(&snapshot->memory_pool);
        free(snapshot);
}
