/* Domain sections: what their options mean together. */
#include "conf/build/address_list.h"
#include "conf/build/internal.h"
#include "conf/value/list.h"
#include "conf/value/next_hop.h"
#include "conf/value/path.h"
#include "core/base/domain_name.h"

static void complain(struct builder *builder, struct place place, const char *message, const char *detail)
{
        conf_complain(builder->complaints, COMPLAINT_ERROR, &place, "%s%.900s", message, detail);
}

/* U-labels become A-labels. */
static void finish_name(struct builder *builder, struct domain *domain)
{
        char octets[DOMAIN_NAME_MAX + 1];
        struct text name;
        struct snapshot *snapshot = builder->snapshot;
        uint32_t index = (uint32_t)(domain - snapshot->domains), earlier;

        text_over(&name, octets, sizeof octets - 1);
        if (!domain_name_read(domain->name, &name)) {
                conf_complain(builder->complaints, COMPLAINT_ERROR, &domain->place,
                              "domain \"%.*s\": not a domain name", (int)domain->name.length,
                              domain->name.at);
                return;
        }
        octets[name.length] = '\0';
        domain->name = arena_copy(&snapshot->memory, text_span(&name));
        if (name_table_find(&snapshot->domain_names, text_span(&name), &earlier))
                conf_complain(builder->complaints, COMPLAINT_ERROR, &domain->place,
                              "domain \"%s\" is given twice, first in %s:%u", octets,
                              snapshot->domains[earlier].place.file, snapshot->domains[earlier].place.line);
        if (domain->name.at == NULL || !name_table_add(&snapshot->domain_names, text_span(&name), index))
                builder->out_of_memory = true;
}

static void read_hops(struct builder *builder, const char *text, struct place place,
                      struct deliver_target *ret_target)
{
        struct arena *memory = &builder->snapshot->memory;
        struct next_hop_list *hops = arena_take(memory, sizeof *hops);
        char octets[256];
        struct text error;

        if (hops == NULL) {
                builder->out_of_memory = true;
                return;
        }
        text_over(&error, octets, sizeof octets - 1);
        if (!next_hops_set(span_from(text), hops, memory, builder->directory, &error)) {
                octets[error.length] = '\0';
                conf_complain(builder->complaints, COMPLAINT_ERROR, &place, "deliver = \"%.900s\": %s", text,
                              octets);
                return;
        }
        *ret_target = (struct deliver_target){.kind = DELIVER_HOPS, .hops = hops};
        for (size_t i = 0; i < hops->count; i++)
                if (hops->hops[i].kind == NEXT_HOP_AT_NAME && builder->snapshot->options.resolvers.count == 0)
                        conf_complain(builder->complaints, COMPLAINT_ERROR, &place,
                                      "deliver: needs resolvers, which say where %s is", hops->hops[i].name);
}

void build_journal(struct builder *builder, enum journal_use use, struct place place,
                   struct deliver_target *deliver)
{
        char octets[NEXT_HOPS_TEXT_MAX];
        struct text text;

        if (builder->snapshot->options.journal[0] == '\0' || deliver->kind != DELIVER_HOPS)
                return;
        text_over(&text, octets, sizeof octets);
        next_hops_write(&text, deliver->hops);
        if (text.length > NEXT_HOPS_JOURNAL_MAX) {
                if (use != JOURNAL_NEVER)
                        complain(
                            builder, place,
                            "deliver: a list of next hops that the journal keeps has 1023 octets at most",
                            "");
                return;
        }
        deliver->destination = arena_string(&builder->snapshot->memory, text_span(&text));
        if (deliver->destination == NULL)
                builder->out_of_memory = true;
}

/* The domain's own, or some that are said of recipients. */
static bool has_hops(const struct domain *domain)
{
        const struct deliver_target *deliver;
        size_t number = 0;

        while ((deliver = domain_deliver_at(domain, number)) != NULL && deliver->kind != DELIVER_HOPS)
                number++;
        return deliver != NULL || domain->options.socketmap_settings;
}

/* Who says nothing has it where there is one. */
static void finish_journal(struct builder *builder, struct domain *domain, const struct place *said)
{
        enum journal_use use = domain->options.journal;
        bool is_there = builder->snapshot->options.journal[0] != '\0';

        if (said->file != NULL && use != JOURNAL_NEVER && !is_there)
                complain(builder, *said,
                         "journal: needs the option journal, which names a folder, outside of domains", "");
        if (said->file != NULL && use != JOURNAL_NEVER && !has_hops(domain))
                complain(builder, *said, "journal: needs next hops in deliver, to which its mail goes", "");
        build_journal(builder, use, domain->place, &domain->deliver);
        domain->journal = is_there && has_hops(domain) ? use : JOURNAL_NEVER;
}

void build_deliver(struct builder *builder, const char *text, size_t name_length, struct place place,
                   struct deliver_target *ret_target)
{
        static const struct span maildir = {"maildir:", 8};
        struct span target = span_from(text);

        if (span_equals(target, SPAN("discard:")))
                return; /* DELIVER_DISCARD is zero */
        if (next_hops_are_meant(target)) {
                read_hops(builder, text, place, ret_target);
                return;
        }
        if (!span_starts_nocase(target, maildir) || target.length == maildir.length) {
                complain(
                    builder, place,
                    span_starts_nocase(target, SPAN("journal:"))
                        ? "deliver: next hops stand here alone, and journal = always in this domain, not "
                        : "deliver: must be maildir:PATH, next hops or discard:, not ",
                    text);
                return;
        }
        ret_target->kind = DELIVER_MAILDIR;
        ret_target->path =
            path_resolve(span_skip(target, maildir.length), builder->directory, &builder->snapshot->memory);
        if (ret_target->path == NULL) {
                builder->out_of_memory = true;
                return;
        }
        const char *fault = mailbox_path_fault(ret_target->path);
        if (fault != NULL)
                conf_complain(builder->complaints, COMPLAINT_ERROR, &place, "deliver: %s%.900s", fault, text);
        else if (mailbox_path_has_long_component(ret_target->path, name_length))
                complain(builder, place, "deliver: no folder's name has more than 255 octets: ", text);
}

static void finish_extension(struct builder *builder, const struct domain *domain, struct place place)
{
        const char *text = domain->options.extension;
        if (text[0] != '\0' && (text[1] != '\0' || strchr("!#$%&'*+-/=?^_`{|}~", text[0]) == NULL))
                complain(builder, place, "extension: must be one special character such as +, not ", text);
}

static void finish_quarantine(struct builder *builder, const struct domain *domain, struct place place)
{
        const char *text = domain->options.quarantine_folder;
        if (text[0] != '\0' && !mailbox_folder_is_valid(text))
                complain(builder, place, "quarantine_folder: must be the name of a folder such as Junk, not ",
                         text);
}

/* Those of a map, whose syntax was looked at when it was built. */
static void read_sets(struct builder *builder, struct snapshot_map *map, struct place place)
{
        char message[RECIPIENT_FAULT_MAX];
        const char *fault = NULL;
        struct span text;

        for (uint32_t set = 1;
             fault == NULL && recipient_map_settings(map->map, set, &text) == RECIPIENT_KNOWN; set++)
                fault = build_recipient_settings(builder, text, NULL, place, &map->sets, message);
        if (fault != NULL)
                conf_complain(builder->complaints, COMPLAINT_ERROR, &place,
                              "recipients: %.900s: \"%.*s\": %s", map->path, (int)text.length, text.at,
                              fault);
}

/* The map of the file, opened once for all domains that name it; NULL, with a complaint, when it cannot be had. */
static const struct snapshot_map *take_map(struct builder *builder, const char *path, struct place place)
{
        struct snapshot *snapshot = builder->snapshot;
        struct snapshot_map *map = snapshot->maps;
        char fault[RECIPIENT_MAP_FAULT_MAX];

        while (map != NULL && strcmp(map->path, path) != 0)
                map = map->next;
        if (map != NULL)
                return map->map == NULL ? NULL : map;
        map = arena_take(&snapshot->memory, sizeof *map);
        if (map == NULL) {
                builder->out_of_memory = true;
                return NULL;
        }
        *map = (struct snapshot_map){
            .next = snapshot->maps, .path = path, .map = recipient_map_open(path, fault)};
        if (map->map == NULL)
                conf_complain(builder->complaints, COMPLAINT_ERROR, &place, "recipients: %.900s: %s", path,
                              fault);
        else
                read_sets(builder, map, place);
        snapshot->maps = map; /* also without a map: another domain complains of it no more */
        return map->map == NULL ? NULL : map;
}

/* False, unless there are complaints, where the domain's recipients are not known. */
static bool map_recipients(struct builder *builder, struct domain *domain, const char *path,
                           struct place place)
{
        const struct snapshot_map *map = take_map(builder, path, place);

        if (map == NULL)
                return false;
        domain->map = map->map;
        domain->sets = map->sets.count > 0 ? &map->sets : NULL;
        if (recipient_map_folds(domain->map) != (domain->options.local_part_case == LOCAL_PART_FOLD)) {
                conf_complain(builder->complaints, COMPLAINT_ERROR, &place,
                              "recipients: %.900s was built %s --exact, and local_part_case is %s", path,
                              recipient_map_folds(domain->map) ? "without" : "with",
                              domain->options.local_part_case == LOCAL_PART_FOLD ? "fold" : "exact");
                return false;
        }
        if (recipient_map_count(domain->map, domain->name, &domain->recipient_count) ==
            RECIPIENT_UNREADABLE) {
                complain(builder, place, "recipients: cannot be read: ", path);
                return false;
        }
        return true;
}

/* A file of lines, or "lmdb:" and a mapped one: that option then has the whole path as well. */
static bool read_source(struct builder *builder, struct domain *domain, struct place place)
{
        static const struct span lmdb = {"lmdb:", 5};
        struct span source = span_from(domain->options.recipients);
        struct arena *memory = &builder->snapshot->memory;
        bool is_mapped = span_starts_nocase(source, lmdb);
        const char *path =
            path_resolve(span_skip(source, is_mapped ? lmdb.length : 0), builder->directory, memory);
        char *named = path == NULL ? NULL : arena_take(memory, lmdb.length + strlen(path) + 1);

        if (named == NULL) {
                builder->out_of_memory = true;
                return false;
        }
        stpcpy(stpcpy(named, is_mapped ? lmdb.at : ""), path);
        domain->options.recipients = named;
        if (is_mapped)
                return map_recipients(builder, domain, path, place);
        bool is_read = recipients_read(builder, domain, place);
        domain->recipient_count = domain->recipients.count;
        return is_read;
}

static void finish_recipients(struct builder *builder, struct domain *domain, struct place place)
{
        static const struct span socketmap = {"socketmap:", 10};
        struct span source = span_from(domain->options.recipients);
        const char *path;

        if (domain->options.recipients[0] == '\0') {
                complain(builder, place, "recipients: needs a file", "");
                return;
        }
        if (span_starts_nocase(source, socketmap)) {
                build_socketmap(builder, domain, span_skip(source, socketmap.length), place);
                return;
        }
        if (span_equals_nocase(source, SPAN("callout:"))) {
                domain->origin = RECIPIENTS_AT_HOP;
                if (domain->deliver.hops == NULL)
                        complain(builder, place,
                                 "recipients: callout: asks the next hops of deliver, and there are none",
                                 "");
                return;
        }
        if (build_recipients_are_misspelt(builder, source, place) || !read_source(builder, domain, place))
                return;
        const struct recipient_settings *settings;
        domain->has_catch_all = domain_find_catch_all(domain, &settings) == RECIPIENT_KNOWN;
        path = domain->options.recipients;
        if (domain->recipient_count == 0 && !domain->options.allow_no_recipients)
                conf_complain(builder->complaints, COMPLAINT_ERROR, &place,
                              "recipients: %.900s names nobody; allow_no_recipients = yes if that is meant",
                              path);
        else if (domain->recipients_are_cut)
                conf_complain(
                    builder->complaints, COMPLAINT_WARNING, &place,
                    "recipients: %.900s: the last line has no end: was the file written to its end?", path);
}

/* The names of all domains are known by now. */
static void finish_alias(struct builder *builder, struct domain *domain, struct place place)
{
        const char *text = domain->options.alias_of;
        const struct domain *target;
        char octets[DOMAIN_NAME_MAX + 1];
        struct text name;

        text_over(&name, octets, sizeof octets);
        target = domain_name_read(span_from(text), &name)
                     ? snapshot_find_domain(builder->snapshot, text_span(&name))
                     : NULL;
        if (target == NULL)
                complain(builder, place, "alias_of: there is no such domain: ", text);
        else if (target == domain || target->options.alias_of[0] != '\0')
                complain(builder, place, "alias_of: must be a domain with recipients of its own, not ", text);
        else if (domain->options.recipients[0] != '\0' || domain->options.deliver[0] != '\0')
                complain(builder, place, "alias_of: this domain has recipients and deliver of ", text);
        else
                domain->alias_of = target;
}

static void finish_domain(struct builder *builder, struct domain *domain, const struct domain_places *places)
{
        const struct place *recipients = &places->options[DOMAIN_OPTION_AT_recipients];
        const struct place *deliver = &places->options[DOMAIN_OPTION_AT_deliver];

        finish_extension(builder, domain, places->options[DOMAIN_OPTION_AT_extension]);
        finish_quarantine(builder, domain, places->options[DOMAIN_OPTION_AT_quarantine_folder]);
        for (size_t check = 0; check < CHECK_COUNT; check++)
                if (domain->checks[check].place.file == NULL)
                        domain->checks[check] = builder->snapshot->checks[check];
        if (domain->options.alias_of[0] != '\0') {
                finish_alias(builder, domain, places->options[DOMAIN_OPTION_AT_alias_of]);
                return;
        }
        if (deliver->file != NULL)
                build_deliver(builder, domain->options.deliver, domain->name.length, *deliver,
                              &domain->deliver);
        else
                complain(builder, domain->place, "deliver is missing in this domain", "");
        const struct place *settings = &places->options[DOMAIN_OPTION_AT_socketmap_settings];
        if (recipients->file != NULL)
                finish_recipients(builder, domain, *recipients);
        else
                complain(builder, domain->place, "recipients is missing in this domain", "");
        finish_journal(builder, domain, &places->options[DOMAIN_OPTION_AT_journal]);
        if (domain->options.socketmap_settings && domain->origin != RECIPIENTS_AT_SOCKETMAP)
                complain(builder, *settings, "socketmap_settings: needs recipients = \"socketmap:...\", not ",
                         domain->options.recipients);
}

void build_finish_domains(struct builder *builder)
{
        struct snapshot *snapshot = builder->snapshot;

        for (size_t i = 0; i < snapshot->domain_count && !builder->out_of_memory; i++)
                finish_name(builder, &snapshot->domains[i]);
        for (size_t i = 0; i < snapshot->domain_count && !builder->out_of_memory; i++) {
                if (i + 1 < DOMAIN_COUNTERS_MAX)
                        snapshot->domains[i].count_index = (uint8_t)(i + 1);
                finish_domain(builder, &snapshot->domains[i], &builder->domains[i]);
        }
        for (size_t i = 0; i < snapshot->domain_count; i++) { /* a target may stand behind its alias */
                struct domain *domain = &snapshot->domains[i];
                domain->deliver = domain_of_mailboxes(domain)->deliver;
                domain->journal = domain_of_mailboxes(domain)->journal;
        }
        if (snapshot->domain_count == 0 && !snapshot->options.allow_no_domains)
                conf_complain(
                    builder->complaints, COMPLAINT_ERROR, &builder->whole,
                    "no domain: every recipient would be refused; allow_no_domains = yes if that is meant");
}
