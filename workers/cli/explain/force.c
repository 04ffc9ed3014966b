/* The snapshot says what holds, and the text where it stands. */
#include "workers/cli/explain/force.h"

#include "conf/value/value.h"
#include "workers/cli/shared/told.h"
#include "workers/json/value.h"

#include <stdio.h>

void force_begin(struct force *force, const struct snapshot *snapshot, const char *path)
{
        *force = (struct force){.snapshot = snapshot};
        force->has_places = option_places_read(&force->places, path);
}

void force_end(struct force *force)
{
        if (force->has_places)
                option_places_end(&force->places);
}

const struct check_setting *force_checks(const struct snapshot *snapshot, const struct domain *domain)
{
        return domain != NULL ? domain->checks : snapshot->checks;
}

struct check_setting force_mode(const struct snapshot *snapshot, const struct force_matter *matter,
                                enum check_id check)
{
        const struct recipient_settings *own = matter->settings;

        if (own != NULL && (own->checks & check_bit(check)) != 0)
                return (struct check_setting){own->modes[check], own->place};
        return force_checks(snapshot, matter->domain)[check];
}

/* ---- what holds ---------------------------------------------------------------------------------------- */

/* Options of the top level, whose value the reply goes by. */
static const struct reply_option {
        enum reply_id reply;
        const char *option;
} reply_options[] = {
    {REPLY_too_many_connections, "connections_per_client"},
    {REPLY_too_many_connections, "connections_per_network"},
    {REPLY_too_many_questions, "dns_in_flight_per_session"},
    {REPLY_too_many_questions, "dns_in_flight_per_client"},
    {REPLY_too_many_questions, "dns_in_flight_per_network"},
    {REPLY_no_room, "connections_max"},
    {REPLY_idle, "idle_timeout"},
    {REPLY_idle, "data_timeout"},
    {REPLY_session_too_long, "session_timeout"},
    {REPLY_data_too_slow, "data_rate_min"},
    {REPLY_text_took_too_long, "text_time_max"},
    {REPLY_text_took_too_long, "text_time_rate"},
    {REPLY_too_many_errors, "errors_max"},
    {REPLY_too_many_commands, "commands_max"},
    {REPLY_too_many_commands, "junk_max"},
    {REPLY_memory_spent, "client_memory_max"},
    {REPLY_too_many_recipients, "recipients_max"},
    {REPLY_message_too_large, "message_size_max"},
    {REPLY_message_line_too_long, "text_line_max"},
    {REPLY_message_loops, "hops_max"},
    {REPLY_tls_required, "starttls"},
    {REPLY_tls_required_not_ready, "starttls"},
    {REPLY_dnsbl, "refuse_listed_at"},
    {REPLY_dnsbl_busy, "refuse_listed_at"},
};

static void add(json_t *settings, const char *option, struct span value, const struct place *place)
{
        json_t *setting = json_object();

        told_put_text(setting, "option", option);
        json_object_set_new(setting, "value", told_string(value));
        told_put_place(setting, place);
        json_array_append_new(settings, setting);
}

/* All that the text says of it in sections of this name. False: nothing. */
static bool add_places(const struct force *force, const char *section, const char *title, const char *key,
                       json_t *settings)
{
        const struct option_place *place = NULL;
        bool is_set = false;

        while (force->has_places &&
               (place = option_places_find(&force->places, place, section, title, key)) != NULL) {
                add(settings, key, span_from(place->value), &place->place);
                is_set = true;
        }
        return is_set;
}

static void add_option(const struct force *force, const char *section, const struct option_row *row,
                       json_t *settings)
{
        if (!add_places(force, section, NULL, row->name, settings))
                add(settings, row->name, span_from(row->default_text), &(struct place){0});
}

static void add_mode(const struct force *force, const struct force_matter *matter, json_t *settings)
{
        struct check_setting setting = force_mode(force->snapshot, matter, matter->check);

        if (check_infos[matter->check].kind != CHECK_KIND_RULE)
                add(settings, "mode", span_from(check_mode_name(setting.mode)), &setting.place);
}

static void add_zones(const struct force *force, enum check_id check, json_t *settings)
{
        bool wants_names = check == CHECK_rhsbl;

        if (check != CHECK_dnsbl && check != CHECK_dynamic_client && check != CHECK_rhsbl)
                return;
        for (size_t i = 0; i < force->snapshot->zone_count; i++) {
                const struct dnsbl_zone *zone = &force->snapshot->zones[i];
                if (zone->options.names == wants_names)
                        add(settings, "zone", zone->name, &zone->place);
        }
}

static void add_domain(const struct force *force, const struct domain *domain, json_t *settings)
{
        char title[256];

        span_copy_cut(domain->name, title, sizeof title);
        add(settings, "domain", domain->name, &domain->place);
        add_places(force, "domain", title, "recipients", settings);
}

/* The name of ours that the client has taken. */
static void add_own_name(const struct force *force, struct span helo, json_t *settings)
{
        const struct snapshot *snapshot = force->snapshot;
        struct span own = snapshot_own_name(snapshot, helo);
        const struct domain *domain = own.length == 0 ? NULL : snapshot_find_domain(snapshot, own);

        if (own.length > 0 && span_equals_nocase(own, span_from(snapshot->options.hostname)) &&
            !add_places(force, "", NULL, "hostname", settings))
                add(settings, "hostname", own, &(struct place){0});
        if (domain != NULL)
                add(settings, "domain", domain->name, &domain->place);
}

static void add_limits(const struct force *force, enum reply_id reply, json_t *settings)
{
        for (size_t i = 0; i < sizeof reply_options / sizeof *reply_options; i++) {
                const char *option = reply_options[i].option;
                if (reply_options[i].reply != reply)
                        continue;
                add_option(force, "", option_row_find(option_rows, CHECK_COUNT, option), settings);
                add_places(force, "listener", NULL, option, settings);
                add_places(force, "network", NULL, option, settings);
        }
}

json_t *force_json(const struct force *force, const struct force_matter *matter)
{
        json_t *settings = json_array();

        if (matter->check < CHECK_COUNT)
                add_mode(force, matter, settings);
        if (matter->check == CHECK_recipient && matter->domain != NULL)
                add_domain(force, matter->domain, settings);
        if (matter->check == CHECK_helo_impersonation)
                add_own_name(force, matter->helo, settings);
        for (const struct option_row *row = option_rows; row->name != NULL; row++)
                if (row->check == matter->check && matter->check < CHECK_COUNT)
                        add_option(force, check_infos[matter->check].name, row, settings);
        add_zones(force, matter->check, settings);
        add_limits(force, matter->reply, settings);
        return settings;
}

/* ---- words --------------------------------------------------------------------------------------------- */

static bool is_named(const json_t *setting, struct span evidence)
{
        struct span value = value_of(setting, "value");
        return value.length > 0 && memmem(evidence.at, evidence.length, value.at, value.length) != NULL;
}

/* Of a list the evidence names another item, or this is not the first one. */
static bool is_left_out(const json_t *settings, size_t at, struct span evidence)
{
        const json_t *setting = json_array_get(settings, at);
        struct span option = value_of(setting, "option");
        bool is_first = true, others_are_named = false;

        if (is_named(setting, evidence))
                return false;
        for (size_t i = 0; i < json_array_size(settings); i++) {
                const json_t *other = json_array_get(settings, i);
                if (i == at || !span_equals(value_of(other, "option"), option))
                        continue;
                is_first &= i > at;
                others_are_named |= is_named(other, evidence);
        }
        return !is_first || others_are_named;
}

static bool is_shown(const json_t *settings, size_t at, struct span evidence)
{
        const json_t *setting = json_array_get(settings, at);
        struct span option = value_of(setting, "option");
        bool is_default = json_object_get(setting, "default") != NULL;

        if (span_equals(option, SPAN("mode")) || (span_equals(option, SPAN("zone")) && evidence.length > 0))
                return span_equals(option, SPAN("mode")) || is_named(setting, evidence);
        return !is_default && !is_left_out(settings, at, evidence);
}

static bool print_settings(const json_t *settings, struct span evidence)
{
        bool has_printed = false;

        for (size_t i = 0; i < json_array_size(settings); i++) {
                const json_t *setting = json_array_get(settings, i);
                if (!is_shown(settings, i, evidence))
                        continue;
                printf("%s%s = %s", has_printed ? ", " : "", value_of(setting, "option").at,
                       value_of(setting, "value").at);
                told_print_place(setting);
                has_printed = true;
        }
        return has_printed;
}

void force_print(const struct force *force, const struct force_matter *matter, const char *when,
                 struct span evidence)
{
        json_t *settings = force_json(force, matter);
        bool is_relay = matter->check == CHECK_recipient && matter->domain == NULL;

        if (json_array_size(settings) > 0 || is_relay) {
                printf("In force%s", when);
                if (matter->check < CHECK_COUNT)
                        printf(" for %s", check_infos[matter->check].name);
                printf(": ");
                if (is_relay)
                        printf("no section `domain` is for the recipient's");
                else if (!print_settings(settings, evidence))
                        printf("all of it by default");
                printf(".\n");
        }
        json_decref(settings);
}
