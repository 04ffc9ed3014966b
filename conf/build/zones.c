/* Zone sections of dnsbl: their names, and the zone that there is without any. */
#include "conf/build/internal.h"
#include "conf/value/dns_lists.h"
#include "conf/value/list.h"
#include "core/base/domain_name.h"

#define NAME_MAX_OCTETS (253 - 64) /* in front of it stands an IPv6 address as nibbles (RFC 5782 2.4) */

static void complain(struct builder *builder, const struct dnsbl_zone *zone, const char *reason)
{
        conf_complain(builder->complaints, COMPLAINT_ERROR, &zone->place, "zone \"%.*s\": %s",
                      (int)zone->name.length, zone->name.at, reason);
}

struct dnsbl_zone *build_zone(struct builder *builder, struct span name, struct place place)
{
        struct snapshot *snapshot = builder->snapshot;
        struct dnsbl_zone *zone = &snapshot->zones[snapshot->zone_count++];

        zone->place = place;
        zone->name = arena_copy(&snapshot->memory, name);
        if (zone->name.at == NULL)
                builder->out_of_memory = true;
        for (const struct option_row *row = zone_option_rows; row->name != NULL; row++)
                if (!value_set_default(row, &zone->options, &snapshot->memory))
                        builder->out_of_memory = true;
        return zone;
}

static void set_filter(struct builder *builder, struct dnsbl_zone *zone, enum zone_option_at option,
                       struct span text)
{
        const struct option_row *row = &zone_option_rows[option];
        char octets[256];
        struct text error;

        text_over(&error, octets, sizeof octets);
        value_clear_list(row, &zone->options);
        if (!value_set(row, text, &zone->options, &builder->snapshot->memory, builder->directory, &error))
                builder->out_of_memory = true;
}

static void set_default_zone(struct builder *builder)
{
        struct dnsbl_zone *zone = build_zone(builder, SPAN(DEFAULT_ZONE), (struct place){"default", 0});
        set_filter(builder, zone, ZONE_OPTION_AT_answers, SPAN(DEFAULT_ZONE_ANSWERS));
        set_filter(builder, zone, ZONE_OPTION_AT_dynamic, SPAN(DEFAULT_ZONE_DYNAMIC));
}

/* U-labels become A-labels. */
static void finish_name(struct builder *builder, struct dnsbl_zone *zone)
{
        char octets[DOMAIN_NAME_MAX];
        struct text name;

        text_over(&name, octets, sizeof octets);
        if (!domain_name_read(zone->name, &name)) {
                complain(builder, zone, "not a domain name");
                return;
        }
        zone->name = arena_copy(&builder->snapshot->memory, text_span(&name));
        if (zone->name.at == NULL)
                builder->out_of_memory = true;
        else if (zone->name.length > NAME_MAX_OCTETS)
                complain(builder, zone, "too long to ask for addresses in it");
        zone->shown = zone->options.shown_as[0] != '\0' ? span_from(zone->options.shown_as)
                                                        : dns_list_without_key(zone->name);
}

static void tell_of_twin(struct builder *builder, const struct dnsbl_zone *zone)
{
        for (const struct dnsbl_zone *other = builder->snapshot->zones; other < zone; other++)
                if (span_equals(other->name, zone->name)) {
                        conf_complain(builder->complaints, COMPLAINT_ERROR, &zone->place,
                                      "zone \"%.*s\" is given twice, first in %s:%u", (int)zone->name.length,
                                      zone->name.at, other->place.file, other->place.line);
                        return;
                }
}

void build_finish_zones(struct builder *builder)
{
        struct snapshot *snapshot = builder->snapshot;

        if (snapshot->zone_count == 0)
                set_default_zone(builder);
        for (size_t i = 0; i < snapshot->zone_count && !builder->out_of_memory; i++) {
                struct dnsbl_zone *zone = &snapshot->zones[i];
                if (i == DNSBL_ZONES_MAX) {
                        complain(builder, zone, "too many zones");
                        return;
                }
                zone->count_index = (uint8_t)i;
                finish_name(builder, zone);
                tell_of_twin(builder, zone);
                if (zone->options.answers.count == 0)
                        complain(builder, zone, "has no answers: nothing would ever be listed");
        }
}
