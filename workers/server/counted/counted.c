/* Two tables of names; the places in them are those of the counters. */
#include "workers/server/counted/counted.h"

#include <assert.h>

static_assert(FILTER_COUNTERS_MAX >= 2 * MAIL_FILTERS_MAX,
              "filters in force and those to come have counters");
static_assert(ZONE_COUNTERS_MAX >= 2 * DNSBL_ZONES_MAX, "zones in force and those to come have counters");

struct names {
        struct counted_name *at;
        uint8_t count;
        uint64_t turn;
};

static void hold(const struct names *names, uint8_t index, struct span name)
{
        struct counted_name *counted = &names->at[index];

        counted->length =
            (uint8_t)(name.length < sizeof counted->octets ? name.length : sizeof counted->octets);
        memcpy(counted->octets, name.at, counted->length);
        counted->used = names->turn;
}

static bool find(const struct names *names, struct span name, uint8_t *ret_index)
{
        for (uint8_t i = 0; i < names->count; i++)
                if (span_equals(span_of(names->at[i].octets, names->at[i].length), name)) {
                        names->at[i].used = names->turn;
                        *ret_index = i;
                        return true;
                }
        return false;
}

/* False: all are in use. */
static bool take(const struct names *names, struct span name, uint8_t *ret_index)
{
        uint8_t oldest = 0;

        for (uint8_t i = 1; i < names->count; i++)
                if (names->at[i].used < names->at[oldest].used)
                        oldest = i;
        if (names->at[oldest].used >= names->turn)
                return false;
        hold(names, oldest, name);
        *ret_index = oldest;
        return true;
}

static void inherit_zones(const struct names *names, const struct snapshot *in_force, struct snapshot *next)
{
        bool is_known[DNSBL_ZONES_MAX];

        for (size_t i = 0; i < in_force->zone_count; i++)
                hold(names, in_force->zones[i].count_index, in_force->zones[i].name);
        for (size_t i = 0; i < next->zone_count; i++)
                is_known[i] = find(names, next->zones[i].name, &next->zones[i].count_index);
        for (size_t i = 0; i < next->zone_count; i++)
                if (!is_known[i])
                        take(names, next->zones[i].name, &next->zones[i].count_index);
}

static void inherit_filters(const struct names *names, const struct snapshot *in_force, struct snapshot *next)
{
        bool is_known[MAIL_FILTERS_MAX];

        for (size_t i = 0; i < in_force->filter_count; i++)
                hold(names, in_force->filters[i].count_index, in_force->filters[i].name);
        for (size_t i = 0; i < next->filter_count; i++)
                is_known[i] = find(names, next->filters[i].name, &next->filters[i].count_index);
        for (size_t i = 0; i < next->filter_count; i++)
                if (!is_known[i])
                        take(names, next->filters[i].name, &next->filters[i].count_index);
}

static void inherit_domains(const struct names *names, const struct snapshot *in_force, struct snapshot *next)
{
        names->at[DOMAIN_COUNTERS_OTHERS].used = UINT64_MAX;
        for (size_t i = 0; i < in_force->domain_count; i++)
                if (in_force->domains[i].count_index != DOMAIN_COUNTERS_OTHERS)
                        hold(names, in_force->domains[i].count_index, in_force->domains[i].name);
        for (size_t i = 0; i < next->domain_count; i++)
                if (!find(names, next->domains[i].name, &next->domains[i].count_index))
                        next->domains[i].count_index = DOMAIN_COUNTERS_OTHERS;
        for (size_t i = 0; i < next->domain_count; i++)
                if (next->domains[i].count_index == DOMAIN_COUNTERS_OTHERS &&
                    !take(names, next->domains[i].name, &next->domains[i].count_index))
                        return;
}

void counted_inherit(struct counted *counted, const struct snapshot *in_force, struct snapshot *next)
{
        counted->turn++;
        inherit_zones(&(struct names){counted->zones, ZONE_COUNTERS_MAX, counted->turn}, in_force, next);
        inherit_filters(&(struct names){counted->filters, FILTER_COUNTERS_MAX, counted->turn}, in_force,
                        next);
        inherit_domains(&(struct names){counted->domains, DOMAIN_COUNTERS_MAX, counted->turn}, in_force,
                        next);
}
