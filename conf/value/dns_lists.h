/* DNS lists that are well known, by the names of their zones. The table is dns_lists.def. */
#pragma once

#include "core/base/text.h"

struct dns_list {
        const char *zone;
        enum { OPEN, KEYED } key;
        const char *operator, * page, *query;
};

/* NULL: nothing is known of it. */
const struct dns_list *dns_list_find(struct span zone);
/* The name without the key of who asks, which is nobody else's business. */
struct span dns_list_without_key(struct span zone);
