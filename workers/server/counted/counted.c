/* Two tables of names; the places in them are those of the counters. */
#include "workers/server/counted/counted.h"

#include <assert.h>
#include <stddef.h>

static_assert(FILTER_COUNTERS_MAX >= 2 * MAIL_FILTERS_MAX,
              "filters in force and those to come have counters");
static_assert(SOCKETMAP_COUNTERS_MAX >= 2 * SOCKETMAPS_MAX,
              "daemons in force and those to come have counters");
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

/* Things of a snapshot that have counters: an array of structures, and where in each stand its name and its index. */
struct things {
        char *at;
        size_t count, size, name, index;
};

#define THINGS(array, length)                                                                                \
        (&(const struct things){(char *)(array), length, sizeof *(array), offsetof(typeof(*(array)), name),  \
                                offsetof(typeof(*(array)), count_index)})

static struct span name_of(const struct things *things, size_t i)
{
        return *(struct span *)(things->at + i * things->size + things->name);
}

static uint8_t *index_of(const struct things *things, size_t i)
{
        return (uint8_t *)(things->at + i * things->size + things->index);
}

/* There are no more of them than half of the names. */
static void inherit(const struct names *names, const struct things *in_force, const struct things *next)
{
        bool is_known[UINT8_MAX];

        for (size_t i = 0; i < in_force->count; i++)
                hold(names, *index_of(in_force, i), name_of(in_force, i));
        for (size_t i = 0; i < next->count; i++)
                is_known[i] = find(names, name_of(next, i), index_of(next, i));
        for (size_t i = 0; i < next->count; i++)
                if (!is_known[i])
                        take(names, name_of(next, i), index_of(next, i));
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
        inherit(&(struct names){counted->zones, ZONE_COUNTERS_MAX, counted->turn},
                THINGS(in_force->zones, in_force->zone_count), THINGS(next->zones, next->zone_count));
        inherit(&(struct names){counted->filters, FILTER_COUNTERS_MAX, counted->turn},
                THINGS(in_force->filters, in_force->filter_count), THINGS(next->filters, next->filter_count));
        inherit(&(struct names){counted->socketmaps, SOCKETMAP_COUNTERS_MAX, counted->turn},
                THINGS(in_force->socketmaps, in_force->socketmap_count),
                THINGS(next->socketmaps, next->socketmap_count));
        inherit_domains(&(struct names){counted->domains, DOMAIN_COUNTERS_MAX, counted->turn}, in_force,
                        next);
}
