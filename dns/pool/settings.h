/* From the configuration to the options of cache and pool. */
#pragma once

#include "dns/pool/pool.h"

struct dns_cache_options dns_cache_settings(const struct options *options);
/* Cache and clients are the caller's to give; upstreams live as long as the snapshot. */
struct dns_pool_options dns_pool_settings(const struct options *options);
/* The same for programs without a configuration: what holds where it names none. */
struct dns_cache_options dns_cache_defaults(void);
struct dns_pool_options dns_pool_defaults(void);
