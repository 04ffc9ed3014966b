/* The cache as a source of facts that asks nobody: for threads that may not wait, and have no place at the
 * resolvers. */
#pragma once

#include "dns/cache.h"

struct dns_look {
        struct dns_source source;
        struct dns_cache *cache;
};

/* The source's thread is registered with RCU (memb). What the cache does not know is PENDING and unasked. */
void dns_look_init(struct dns_look *look, struct dns_cache *cache);
