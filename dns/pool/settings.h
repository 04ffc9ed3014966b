/* Turns the configuration into the options of cache and pool. */
#pragma once

#include "dns/pool/pool.h"

struct dns_cache_options dns_cache_settings(const struct options *options);
/* The caller sets the cache and the number of clients. The upstreams live as long as the snapshot. */
struct dns_pool_options dns_pool_settings(const struct options *options);
/* These are for programs without a configuration. They have the defaults of options.def. */
struct dns_cache_options dns_cache_defaults(void);
struct dns_pool_options dns_pool_defaults(void);
