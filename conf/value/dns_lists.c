#include "conf/value/dns_lists.h"

static const struct dns_list lists[] = {
#define LIST(zone, key, operator, page, query) {zone, key, operator, page, query},
#include "conf/value/dns_lists.def"
};

static bool is_below(struct span name, struct span zone)
{
        return name.length > zone.length && span_ends_nocase(name, zone) &&
               name.at[name.length - zone.length - 1] == '.';
}

const struct dns_list *dns_list_find(struct span zone)
{
        for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
                struct span known = span_from(lists[i].zone);
                if (span_equals_nocase(zone, known) || is_below(zone, known))
                        return &lists[i];
        }
        return NULL;
}

struct span dns_list_without_key(struct span zone)
{
        const struct dns_list *known = dns_list_find(zone);
        bool has_key = known != NULL && known->key == KEYED && is_below(zone, span_from(known->zone));

        return has_key ? span_skip(zone, span_find(zone, '.') + 1) : zone;
}
