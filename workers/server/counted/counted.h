/* Which counters belong to which zone, domain, mail filter and daemon of recipients, from one configuration to the
 * next: they follow the name. Owner: the main thread. */
#pragma once

#include "core/base/domain_name.h"
#include "core/smtp/metrics.h"

struct counted_name {
        char octets[DOMAIN_NAME_MAX];
        uint8_t length; /* 0: it is nobody's yet */
        uint64_t used;  /* the last turn in which it was in a configuration */
};

/* All 0 at the start. */
struct counted {
        struct counted_name zones[ZONE_COUNTERS_MAX], domains[DOMAIN_COUNTERS_MAX],
            filters[FILTER_COUNTERS_MAX], socketmaps[SOCKETMAP_COUNTERS_MAX];
        uint64_t turn;
};

/* Before `next` is published, even if that fails then: each of its zones, domains, filters and daemons has the
 * counters that its name had in `in_force` or before. A new name gets those of nobody, or else of the name that has
 * been gone for longest; a domain for which there are none is counted with the others. */
void counted_inherit(struct counted *counted, const struct snapshot *in_force, struct snapshot *next);
